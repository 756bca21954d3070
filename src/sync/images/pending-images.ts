import type { Database, Db } from '../../database/client.ts'
import { Prisma } from '../../generated/client.ts'

/** One image to fetch: an item's own from Zoho, or one behind the URL that a file import named. */
export interface PendingImage {
  id: string
  zoho_item_id: string
  sku: string | null
  kind: 'zoho' | 'url'
  zoho_image_id: string | null
  zoho_image_name: string | null
  image_source_url: string | null
  image_source_key: string | null
  /** The item's modified time when the image was requested. */
  zoho_modified_at: Date | null
  /** Zoho named this image when it had none to send; set for rechecks only. */
  was_missing?: boolean
}

export interface WorkFilter {
  runId: string
  /** Zoho's own images too; without credentials only those behind URLs. */
  zoho: boolean
  /** Only these products; null: all. */
  only: string[] | null
  /** Only products that the run's list did not contain: the others are counted by its rows. */
  unlistedOnly?: boolean
}

/** The image behind a file's URL is not the stored one. */
const ADDRESS_WAITS = Prisma.sql`(p.image_source_key is not null and p.image_source_fetched is distinct from p.image_source_key)`
/** Zoho's own image is not the stored one. */
const ZOHO_WAITS = Prisma.sql`(p.zoho_image_id is not null and p.image_state <> 'none' and p.image_fetched_id is distinct from p.zoho_image_id)`

/** Untried, failed or changed, and not yet tried by this run. */
function pending({ runId, zoho, only, unlistedOnly = false }: WorkFilter): Prisma.Sql {
  return Prisma.sql`
    p.deleted_at is null and p.zoho_item_id is not null and p.image_run is distinct from ${runId}::uuid
    and (${ADDRESS_WAITS} or (${zoho} and ${ZOHO_WAITS}))
    ${only === null ? Prisma.empty : Prisma.sql`and p.id = any(${only}::uuid[])`}
    ${unlistedOnly ? Prisma.sql`and p.zoho_item_id in (select zoho_item_id from product except select unnest(ids) from run_page where run_id = ${runId}::uuid)` : Prisma.empty}`
}

/**
 * Returns the next images to fetch, those with the fewest failures first. A run tries one image of
 * a product: where both of its sources wait they alternate after a failure, so that a dead URL does
 * not block Zoho's image.
 */
export function nextPending(db: Database, filter: WorkFilter, limit: number): Promise<PendingImage[]> {
  return db.$queryRaw<PendingImage[]>`
    select p.id, p.zoho_item_id, p.sku, p.zoho_image_id, p.zoho_image_name, p.image_source_url, p.image_source_key, p.zoho_modified_at,
      case when ${ADDRESS_WAITS} and not (${filter.zoho} and ${ZOHO_WAITS} and p.image_attempts % 2 = 1) then 'url' else 'zoho' end as kind
    from product p where ${pending(filter)} order by p.image_attempts, p.id limit ${limit}`
}

export async function countPending(db: Db, filter: WorkFilter): Promise<number> {
  const [row] = await db.$queryRaw<{ n: number }[]>`select count(*)::int as n from product p where ${pending(filter)}`
  return row?.n ?? 0
}

/**
 * An image may be replaced in Zoho under the same id, so stored ones are fetched again in a slow
 * rotation.
 */
const ROTATION = "interval '30 days'"

/**
 * Images whose id did not change: stored ones of Zoho, and those that Zoho named but did not have.
 * One that a person deleted here, or that was uploaded from here, must not come back.
 */
const CHECKED = Prisma.sql`p.deleted_at is null and p.zoho_item_id is not null and p.zoho_image_id is not null
  and (p.image_state = 'none' or p.image_state = 'stored' and p.image_fetched_id = p.zoho_image_id
    and p.id in (select product_id from photo where source = 'zoho' and kind = 'main' and deleted_at is null))`
/**
 * The item was edited in Zoho since its image was last fetched: its image may have changed under
 * the same id.
 */
export const EDITED_SINCE_CHECK = Prisma.sql`p.zoho_modified_at is distinct from p.image_checked_modified_at`

/**
 * Returns images to fetch again: those of edited items, or the oldest of the rotation; none that
 * this run has tried.
 */
export function nextRechecks(
  db: Database,
  { runId, now, limit, rotation }: { runId: string; now: Date; limit: number; rotation: boolean },
): Promise<PendingImage[]> {
  const due = rotation ? Prisma.sql`p.image_tried_at < ${now}::timestamptz - ${Prisma.raw(ROTATION)}` : Prisma.sql`${EDITED_SINCE_CHECK}`
  return db.$queryRaw<PendingImage[]>`
    select p.id, p.zoho_item_id, p.sku, p.zoho_image_id, p.zoho_image_name, p.image_source_url, p.image_source_key, p.zoho_modified_at, 'zoho' as kind,
      p.image_state = 'none' as was_missing
    from product p where ${CHECKED} and ${due} and p.image_run is distinct from ${runId}::uuid
    order by p.image_tried_at limit ${limit}`
}

/**
 * Returns how many images of edited items that this run's list did not contain still have to be
 * fetched again.
 */
export async function countUnlistedRechecks(db: Db, runId: string): Promise<number> {
  const [row] = await db.$queryRaw<{ n: number }[]>`
    select count(*)::int as n from product p where ${CHECKED} and ${EDITED_SINCE_CHECK}
      and p.zoho_item_id in (select zoho_item_id from product except select unnest(ids) from run_page where run_id = ${runId}::uuid)`
  return row?.n ?? 0
}

export interface ImageCounts {
  downloaded: number
  missing: number
  failed: number
}

/**
 * Returns what this run has done with images, counted from the rows, so it is right after a crash
 * too. Valid only until another run tries them.
 */
export async function countImages(db: Db, runId: string): Promise<ImageCounts> {
  const groups = await db.product.groupBy({ by: ['image_state'], where: { image_run: runId }, _count: true })
  const count = (...states: string[]) => groups.filter((it) => states.includes(it.image_state)).reduce((sum, it) => sum + it._count, 0)
  // `untried` with this run's mark: the file's image is stored, Zoho's own comes with the next run.
  return { downloaded: count('stored', 'untried'), missing: count('none', 'placeholder'), failed: count('failed') }
}
