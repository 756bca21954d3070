import type { Db } from '../database/client.ts'
import { type Blob, type Photo, Prisma } from '../generated/client.ts'

export interface LibraryFilter {
  source?: string | undefined
  /** Images whose longest side has at most this many pixels. */
  maxSide?: number | undefined
  minBytes?: number | undefined
  /** In neither language. */
  withoutAlt?: boolean | undefined
  damaged?: boolean | undefined
  /** Bytes that more than one image has. */
  duplicates?: boolean | undefined
  /** Deleted images of which the bytes are still here; otherwise those that products show. */
  unused?: boolean | undefined
}

export interface LibraryPhoto extends Photo {
  blob: Blob
  product: { id: string; zoho_item_id: string | null; name: string; name_en: string | null; name_ar: string | null; sku: string | null }
}

function matching(filter: LibraryFilter): Prisma.Sql {
  const conditions = filter.unused
    ? [Prisma.sql`f.deleted_at is not null and b.orphaned_at is not null and b.removed_at is null`]
    : [Prisma.sql`f.deleted_at is null`]
  if (filter.source !== undefined) conditions.push(Prisma.sql`f.source = ${filter.source}`)
  if (filter.maxSide !== undefined) conditions.push(Prisma.sql`greatest(b.width, b.height) <= ${filter.maxSide}`)
  if (filter.minBytes !== undefined) conditions.push(Prisma.sql`b.size >= ${filter.minBytes}`)
  if (filter.withoutAlt) conditions.push(Prisma.sql`coalesce(f.alt_en, '') = '' and coalesce(f.alt_ar, '') = ''`)
  if (filter.damaged) conditions.push(Prisma.sql`b.damaged`)
  if (filter.duplicates)
    conditions.push(
      Prisma.sql`exists (select 1 from photo other where other.sha256 = f.sha256 and other.id <> f.id and other.deleted_at is null)`,
    )
  return Prisma.join(conditions, ' and ')
}

/** Returns a page of the images of all products, the newest first; `before` is a position. */
export async function listLibrary(
  db: Db,
  { before, limit, ...filter }: LibraryFilter & { before?: bigint | undefined; limit: number },
): Promise<LibraryPhoto[]> {
  const found = await db.$queryRaw<{ id: string }[]>`
    select f.id from photo f join blob b on b.sha256 = f.sha256
    where ${matching(filter)} ${before === undefined ? Prisma.empty : Prisma.sql`and f.position < ${before}`}
    order by f.position desc limit ${limit}`
  return db.photo.findMany({
    where: { id: { in: found.map(({ id }) => id) } },
    include: {
      blob: true,
      product: { select: { id: true, zoho_item_id: true, name: true, name_en: true, name_ar: true, sku: true } },
    },
    orderBy: { position: 'desc' },
  })
}

/** Returns how many images match a filter. */
export async function countLibrary(db: Db, filter: LibraryFilter): Promise<number> {
  const [row] = await db.$queryRaw<{ count: number }[]>`
    select count(*)::integer as count from photo f join blob b on b.sha256 = f.sha256 where ${matching(filter)}`
  return row?.count ?? 0
}
