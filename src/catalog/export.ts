import type { Db } from '../database/client.ts'
import type { Prisma } from '../generated/client.ts'
import { EXPORT_COLUMNS, type ExportRecord } from '../schemas/export.ts'
import { fieldSpec, ITEM_FIELD_NAMES } from '../schemas/item-fields.ts'
import { readFeedPositions } from './feed-positions.ts'
import { WITH_PHOTOS } from './find-product.ts'
import { readPrices } from './prices.ts'
import { numberProducts } from './product-feed.ts'
import { imageName } from './serialize-image.ts'
import { flatItem, serializeItem, serializeStock } from './serialize-product.ts'

const PAGE_ROWS = 500
/** Of a file's name, without its extension. */
const MAX_NAME = 200

/**
 * A product for an export, with its images' stored bytes and their names in a ZIP; the primary
 * first.
 */
export interface ExportedProduct {
  record: ExportRecord
  /** The same as the cells of a CSV row. */
  cells: unknown[]
  images: { path: string; sha256: string; size: number; at: Date }[]
}

/**
 * Yields all products that are not deleted, in pages by keyset: an export of any size needs the
 * memory of one page.
 */
export async function* exportProducts(db: Db, signal: AbortSignal): AsyncGenerator<ExportedProduct[]> {
  let after: Prisma.ProductWhereInput = {}
  for (;;) {
    signal.throwIfAborted()
    const rows = await readPage(db, after)
    const last = rows.at(-1)
    if (!last) return
    const ids = rows.map(({ id }) => id)
    const prices = await readPrices(db, ids)
    const positions = await readFeedPositions(db, ids, () => numberProducts(db))
    after = { OR: [{ created_at: { gt: last.created_at } }, { created_at: last.created_at, id: { gt: last.id } }] }
    yield rows.map(({ photos, stock, detail, ...row }) => {
      const images = photos.map(({ is_primary, sha256, blob, updated_at }, n) => ({
        path: imagePath(nameInZip(row), { n: is_primary ? null : n + 1, ext: blob.ext }),
        sha256,
        size: Number(blob.size),
        at: updated_at,
      }))
      const record: ExportRecord = {
        zoho_item_id: row.zoho_item_id,
        ...serializeItem(row),
        ...serializeStock(row, stock, detail?.stock_as_of ?? null),
        prices: prices.get(row.id) ?? [],
        origin: row.origin as ExportRecord['origin'],
        zoho_modified_at: row.zoho_modified_at?.toISOString() ?? null,
        image_id: row.zoho_image_id,
        image_name: row.zoho_image_name,
        image_url: row.image_source_url,
        image_path: photos[0]?.is_primary ? images[0]!.path : null,
        created_at: row.created_at.toISOString(),
        updated_at: row.updated_at.toISOString(),
        seq: positions.get(row.id)!.seq,
        changed_at: positions.get(row.id)!.changed_at.toISOString(),
      }
      const flat = flatItem(row)
      const named = Object.fromEntries(ITEM_FIELD_NAMES.map((field) => [fieldSpec(field).csv ?? field, flat[field]]))
      const { committed, by_location } = record.stock
      const values: Record<string, unknown> = { ...record, ...named, committed_stock: committed, stock_by_location: by_location }
      return { record, cells: EXPORT_COLUMNS.map((column) => values[column]), images }
    })
    if (rows.length < PAGE_ROWS) return
  }
}

const readPage = (db: Db, after: Prisma.ProductWhereInput) =>
  db.product.findMany({
    where: { deleted_at: null, ...after },
    orderBy: [{ created_at: 'asc' }, { id: 'asc' }],
    take: PAGE_ROWS,
    include: WITH_PHOTOS,
  })

/**
 * Zoho's id, since another zinc does not know ours; characters that file names cannot have are
 * written with `%`, as the import reads them.
 */
function nameInZip(row: { id: string; zoho_item_id: string | null }): string {
  const name = imageName(row)
  if (row.zoho_item_id === null || name === row.zoho_item_id) return name
  const written = encodeURIComponent(row.zoho_item_id).replaceAll('.', '%2E')
  return written.length <= MAX_NAME ? written : name
}

/**
 * The primary has the same path as in the data folder. The others are in a folder with the same
 * name, which sorts after `item`: an import of the ZIP reads a product's files in the order of
 * their paths, and so makes the first its primary again.
 */
const imagePath = (name: string, { n, ext }: { n: number | null; ext: string }): string =>
  n === null ? `images/item/${name}.${ext}` : `images/more/${name}/${n}.${ext}`
