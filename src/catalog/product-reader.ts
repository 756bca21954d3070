import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Product } from '../schemas/products.ts'
import { readFeedPositions } from './feed-positions.ts'
import { findProduct, type ProductWithPhotos, productsById } from './find-product.ts'
import { readPrices } from './prices.ts'
import { type ChangeCursor, readChangePage } from './product-changes.ts'
import type { ProductFeed, ProductFeedSnapshot } from './product-feed.ts'
import { readRawItems } from './raw-items.ts'
import { countProducts, findProducts, type ProductPage, type ProductPosition } from './search-products.ts'
import type { ImageUrlOptions } from './serialize-image.ts'
import { type FeedPosition, serializeProduct, withRaw } from './serialize-product.ts'

export interface ProductReaderDeps {
  db: Database
  clock: Clock
  productFeed: ProductFeed
  imageUrl: ImageUrlOptions['imageUrl']
}

export interface RecordOptions {
  /** With Zoho's rows as they were received. */
  raw: boolean
}

/** A product with its JSON; with `raw` the JSON also has Zoho's row, digit for digit. */
export interface ProductRecord {
  product: Product
  json(): string
}

export type ProductReader = ReturnType<typeof createProductReader>

/**
 * Reads products as the API returns them: lists, single products and the change feed use the same
 * code.
 */
export function createProductReader({ db, clock, productFeed, imageUrl }: ProductReaderDeps) {
  async function recordsOf(
    rows: ProductWithPhotos[],
    positions: ReadonlyMap<string, FeedPosition>,
    { raw }: RecordOptions,
  ): Promise<ProductRecord[]> {
    const shown = { imageUrl, now: clock.now() }
    const ids = rows.map(({ id }) => id)
    const [prices, texts] = await Promise.all([readPrices(db, ids), raw ? readRawItems(db, ids) : undefined])
    return rows.map((row) => {
      const product = serializeProduct(row, { position: positions.get(row.id)!, prices: prices.get(row.id) ?? [] }, shown)
      return { product, json: () => (texts ? withRaw(product, texts.get(row.id)) : JSON.stringify(product)) }
    })
  }

  const positionsOf = (ids: string[]) => readFeedPositions(db, ids, productFeed.now)

  return {
    async one(ref: string, options: RecordOptions): Promise<ProductRecord> {
      await productFeed.now()
      const row = await findProduct(db, ref)
      const [record] = await recordsOf([row], await positionsOf([row.id]), options)
      return record!
    },

    async list(page: ProductPage, options: RecordOptions): Promise<{ records: ProductRecord[]; next: ProductPosition | null }> {
      await productFeed.now()
      const found = await findProducts(db, { ...page, limit: page.limit + 1 })
      const shown = found.slice(0, page.limit)
      const rows = await productsById(
        db,
        shown.map(({ id }) => id),
      )
      const positions = await positionsOf(rows.map(({ id }) => id))
      return { records: await recordsOf(rows, positions, options), next: found.length > shown.length ? (shown.at(-1) ?? null) : null }
    },

    count: (filter: Omit<ProductPage, 'sort' | 'limit'>) => countProducts(db, filter),

    /** Returns one page of the change feed as JSON texts, in the order of change. */
    async changes(snapshot: ProductFeedSnapshot, cursor: ChangeCursor, { limit, raw }: RecordOptions & { limit: number }) {
      const { rows, next, hasMore } = await readChangePage(db, snapshot, cursor, { limit })
      if (rows.length === 0) return { entries: [], next, hasMore }
      const living = await productsById(
        db,
        rows.flatMap((row) => (row.change === 'upsert' ? [row.product_id] : [])),
      )
      const positions = new Map(rows.map(({ product_id, seq, changed_at }) => [product_id, { seq, changed_at }]))
      const records = new Map((await recordsOf(living, positions, { raw })).map((record) => [record.product.id, record]))
      const entries = rows.flatMap(({ product_id: id, change, ...row }) => {
        const record = change === 'upsert' ? records.get(id) : undefined
        // Deleted since the page was read: that is a separate, later change.
        if (change === 'upsert' && (!record || record.product.deleted_at !== null)) return []
        const { zoho_item_id, sku } = record?.product ?? row
        const { seq, changed_fields } = row
        const facts = { seq, change, changed_at: row.changed_at.toISOString(), changed_fields, id, zoho_item_id, sku }
        return [`${JSON.stringify(facts).slice(0, -1)},"product":${record ? record.json() : 'null'}}`]
      })
      return { entries, next, hasMore }
    },
  }
}
