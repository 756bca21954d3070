import type { RawDb } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { NotFoundError } from '../lib/errors.ts'
import type { ProductGroupRecord } from '../schemas/product-groups.ts'
import { type ImageUrlOptions, SAFE_NAME } from './serialize-image.ts'

interface GroupRow extends Omit<ProductGroupRecord, 'image_url' | 'images'> {
  image_name: string | null
  sha256: string | null
  ext: string
  size: string
  content_type: string
  width: number
  height: number
}

const rowsOf = (where: Prisma.Sql, limit: number): Prisma.Sql => Prisma.sql`
  select u.id, u.name, g.description, g.brand, g.manufacturer, g.unit, u.attributes,
    array(select p.id::text from product p where p.group_id = u.id and p.deleted_at is null order by p.created_at, p.id) as products,
    g.image_name, b.sha256, b.ext, b.size::text as size, b.content_type, b.width, b.height
  from product_group_in_use u
  left join product_group g on g.id = u.id
  left join blob b on b.sha256 = g.image_sha256 and b.removed_at is null
  where ${where} order by u.id limit ${limit}`

export interface GroupPage {
  /** The id of the last group of the page before. */
  after?: string | undefined
  search?: string | undefined
  limit: number
}

const MAX_WORDS = 10

/** Returns one page of the groups that products name, in the order of their ids. */
export async function listProductGroups(
  db: RawDb,
  { after, search = '', limit }: GroupPage,
  shown: ImageUrlOptions,
): Promise<{ groups: ProductGroupRecord[]; next: string | null }> {
  const words = search.split(/\s+/).filter((word) => word !== '')
  const conditions = words
    .slice(0, MAX_WORDS)
    .map((word) => Prisma.sql`strpos(search_text(coalesce(u.name, '')), search_text(${word})) > 0`)
  if (after !== undefined) conditions.push(Prisma.sql`u.id > ${after}`)
  const where = conditions.length === 0 ? Prisma.sql`true` : Prisma.join(conditions, ' and ')
  const rows = await db.$queryRaw<GroupRow[]>(rowsOf(where, limit + 1))
  const page = rows.slice(0, limit)
  return { groups: page.map((row) => serialize(row, shown)), next: rows.length > page.length ? (page.at(-1)?.id ?? null) : null }
}

/** Throws NotFoundError `product_group_not_found`. */
export async function findProductGroup(db: RawDb, id: string, shown: ImageUrlOptions): Promise<ProductGroupRecord> {
  const [row] = await db.$queryRaw<GroupRow[]>(rowsOf(Prisma.sql`u.id = ${id}`, 1))
  if (!row) throw new NotFoundError('product_group_not_found')
  return serialize(row, shown)
}

function serialize(row: GroupRow, { imageUrl, now }: ImageUrlOptions): ProductGroupRecord {
  const { image_name, sha256, ext, size, content_type, width, height, ...group } = row
  if (sha256 === null || !SAFE_NAME.test(row.id)) return { ...group, image_url: null, images: [] }
  const url = imageUrl({ name: row.id, ext, sha256, now })
  const image = { url, image_url: url, filename: image_name || `${row.id}.${ext}`, size: Number(size) }
  return { ...group, image_url: url, images: [{ ...image, content_type, sha256, width, height, is_primary: true }] }
}
