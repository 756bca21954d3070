import type { Database } from '../database/client.ts'

/** How often counts are written: often enough to watch, and not a write for each photo. */
const FLUSH_MS = 1_000

export type ServedCounter = ReturnType<typeof createServedCounter>

/**
 * Counts what is sent to the edge servers of each store, while it is sent. Counts are kept in
 * memory for at most a second.
 */
export function createServedCounter(db: Database) {
  let counts = new Map<string, { bytes: number; photos: number }>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  async function write(): Promise<void> {
    const rows = [...counts].map(([store_id, { bytes, photos }]) => ({ store_id, bytes, photos }))
    counts = new Map()
    if (rows.length === 0) return
    try {
      await db.$executeRaw`
        insert into store_day as d (store_id, day, bytes_served, photos_served)
        select s.id, (clock_timestamp() at time zone 'utc')::date, t.bytes, t.photos
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as t(store_id uuid, bytes bigint, photos bigint) join store s on s.id = t.store_id
        on conflict (store_id, day) do update
          set bytes_served = d.bytes_served + excluded.bytes_served, photos_served = d.photos_served + excluded.photos_served`
    } catch {
      // The database is away: counted with the next ones.
      for (const { store_id, bytes, photos } of rows) add(store_id, bytes, photos)
    }
  }
  function add(storeId: string, bytes: number, photos: number): void {
    const count = counts.get(storeId) ?? { bytes: 0, photos: 0 }
    counts.set(storeId, { bytes: count.bytes + bytes, photos: count.photos + photos })
    timer ??= setTimeout(() => void flush(), FLUSH_MS).unref()
  }
  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    writing = writing.then(write)
    return writing
  }

  return {
    /** `photos`: those whose last byte was sent. */
    add,
    /** Makes everything counted so far readable. */
    flush,
  }
}
