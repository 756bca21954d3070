import { readsHiddenFields } from '../catalog/custom-fields.ts'
import type { Db, RawDb } from '../database/client.ts'
import type { SyncPart } from '../schemas/zoho-settings.ts'
import { GROUP_LIST_PATH } from '../zoho/item-groups.ts'
import { GROUP_SYNC, GROUP_WATERMARK } from './groups/group-run.ts'
import { PRICE_LIST_SYNC, PRICE_LIST_WATERMARK, READ_AGAIN_MS } from './price-lists/price-list-run.ts'
import { expectedStockCalls, hasFieldsDue } from './stock/stock-queries.ts'
import { STOCK_SYNC } from './stock/stock-run.ts'

interface FollowUp {
  /** Kind of its runs. */
  kind: string
  /** Whether a full item sync is followed by it; a person may start it at any time. */
  isDue(db: RawDb, at: FollowUpMoment): Promise<boolean>
  /**
   * About how many calls the next such run makes; `groupsListed` and `items`: what a dry run has
   * seen.
   */
  expectedCalls(db: Db, options: FollowUpMoment & { groupsListed: number; items: number }): Promise<number>
}

interface FollowUpMoment {
  at: Date
  /** Percent of the day's calls for stock by location. */
  stockPercent: number
}

const PAGE_ROWS = 200

/**
 * What is read apart from items, after each full item sync and on request
 * (`POST …/modules/inventory/sync?only=`): each is a run of its own.
 */
export const FOLLOW_UPS: Record<SyncPart, FollowUp> = {
  stock: {
    kind: STOCK_SYNC,
    // Without locations it asks for them once a day, and looks for hidden custom fields.
    isDue: async (db, { stockPercent }) => stockPercent > 0 || readsHiddenFields(db),
    expectedCalls: expectedStockCalls,
  },
  groups: {
    kind: GROUP_SYNC,
    // Without a group among the items there is nothing to ask for.
    isDue: (db) => exists(db.$queryRaw`select 1 from product where group_id is not null and deleted_at is null limit 1`),
    async expectedCalls(db, { groupsListed }) {
      const [row] = await db.$queryRaw<{ groups: number }[]>`
        select count(distinct group_id)::integer as groups from product where group_id is not null and deleted_at is null`
      const groups = Math.max(row?.groups ?? 0, groupsListed)
      if (groups === 0) return 0
      // Newer organizations list a group for every item: the last run knows how many pages.
      const last = await db.watermark.findUnique({ where: { name: GROUP_WATERMARK } })
      const pages = last?.run_id ? await db.zohoCall.count({ where: { run_id: last.run_id, path: GROUP_LIST_PATH } }) : 0
      return Math.max(pages, Math.ceil(groups / PAGE_ROWS)) + Math.max(0, groups - (await db.productGroup.count()))
    },
  },
  price_lists: {
    kind: PRICE_LIST_SYNC,
    // Where there are none, asking once a day is enough.
    isDue: (db, { at }) =>
      exists(db.$queryRaw`
        select 1 where exists (select 1 from price_list)
          or not exists (select 1 from watermark where name = ${PRICE_LIST_WATERMARK} and succeeded_at > ${new Date(at.getTime() - READ_AGAIN_MS)})`),
    async expectedCalls(db, { at, stockPercent }) {
      if (!(await this.isDue(db, { at, stockPercent }))) return 0
      const due = { OR: [{ read_at: null }, { read_at: { lt: new Date(at.getTime() - READ_AGAIN_MS) } }] }
      const lists = await db.priceList.count()
      return Math.max(1, Math.ceil(lists / PAGE_ROWS)) + (await db.priceList.count({ where: { status: 'active', ...due } }))
    },
  },
}

const exists = async (found: PromiseLike<unknown[]>): Promise<boolean> => (await found).length > 0

/**
 * Queues the runs that follow a full item sync; the next sweep starts them. One that is queued or
 * running already is not queued again.
 */
export async function queueFollowUps(
  tx: RawDb,
  { runId, params, ...moment }: FollowUpMoment & { runId: string; params: { sync_images: boolean } },
): Promise<void> {
  for (const { kind, isDue } of Object.values(FOLLOW_UPS)) {
    if (!(await isDue(tx, moment))) continue
    await tx.$executeRaw`
      insert into run (kind, params, started_by, exclusive_key)
      select ${kind}, ${JSON.stringify({ mode: 'incremental', images: params.sync_images })}::jsonb, started_by, ${kind} from run where id = ${runId}::uuid
      on conflict do nothing`
  }
}

/**
 * Queues the run that reads the hidden custom fields of items that an incremental sync has found
 * changed, where they are read at all.
 */
export async function queueChangedFields(tx: RawDb, { runId }: { runId: string }): Promise<void> {
  if (!(await readsHiddenFields(tx)) || !(await hasFieldsDue(tx))) return
  await tx.$executeRaw`
    insert into run (kind, params, started_by, exclusive_key)
    select ${STOCK_SYNC}, ${JSON.stringify({ fields_only: true })}::jsonb, started_by, ${STOCK_SYNC} from run where id = ${runId}::uuid
    on conflict do nothing`
}
