import type { Database } from '../database/client.ts'
import { NotFoundError } from '../lib/errors.ts'
import type { BlobStore } from '../schemas/photo-sync.ts'
import { isSynced } from './reports.ts'

interface Row {
  store_id: string
  code: string
  name: string
  state: BlobStore['state']
  report: (Omit<NonNullable<BlobStore['report']>, 'at'> & { at: string }) | null
}

/**
 * Returns the state of a photo in every store, from the stores' assortments and their edge servers'
 * reports. Throws NotFoundError `photo_not_found`.
 */
export async function photoStatusByStore(db: Database, photoId: string): Promise<BlobStore[]> {
  if (!(await db.photo.count({ where: { id: photoId } }))) throw new NotFoundError('photo_not_found.product')
  const rows = await db.$queryRaw<{ row: Row }[]>`
    select json_build_object('store_id', s.id, 'code', s.code, 'name', s.name,
      'state', case
        when p.feed_live and store_sells(s.assortment, p.feed_sku, p.feed_category,
          in_stock_in(s.location_id, p.feed_in_stock, p.feed_in_stock_at)) then case
          when ${isSynced} then 'synced'
          when r.status = 'failed' and r.generation = s.generation then 'failed'
          when r.status = 'synced' then 'outdated'
          else 'behind' end
        when r.status = 'synced' then 'leaving'
        else 'not_sold' end,
      'report', case when r.photo_id is not null then json_build_object(
        'status', r.status, 'version', r.version, 'error', r.error, 'attempts', r.attempts, 'at', r.synced_at at time zone 'utc') end) as row
    from photo p cross join store s left join photo_report r on r.store_id = s.id and r.photo_id = p.id
    where p.id = ${photoId}::uuid order by s.code`
  return rows.map(({ row }) => ({ ...row, report: row.report && { ...row.report, at: new Date(`${row.report.at}Z`).toISOString() } }))
}
