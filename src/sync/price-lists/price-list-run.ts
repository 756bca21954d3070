import { z } from 'zod'
import type { Database, RawDb } from '../../database/client.ts'
import type { PriceList } from '../../generated/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { AppError, zohoCodeOf } from '../../lib/errors.ts'
import { failure } from '../../runs/because.ts'
import type { RunContext, RunFailure, RunHandler } from '../../runs/run-handler.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { ZohoNotFoundError } from '../../zoho/errors.ts'
import {
  listPriceLists,
  readPriceListDetail,
  type ZohoPriceList,
  type ZohoPriceListDetail,
  type ZohoRates,
} from '../../zoho/price-lists.ts'
import type { RateLimitWait } from '../../zoho/rate-limiter.ts'
import { pauseOnOutage } from '../pause-on-outage.ts'

export const PRICE_LIST_SYNC = 'price_lists'
export const PRICE_LIST_WATERMARK = 'price_lists'
const STAGE = 'price_list'
/** Zoho's code for a path that it does not have. */
const NO_SUCH_PATH = '5'
/**
 * Editing a rate may leave the list's time as it was, so every list is read again at this age: once
 * a day with two full syncs a day.
 */
export const READ_AGAIN_MS = 20 * 3_600_000

const Params = z.object({
  /** `full`: the detail of every active list, `incremental`: of new, changed and old ones. */
  mode: z.enum(['incremental', 'full']).default('full'),
})

/**
 * The lists that the run has read. By the run and not by time: the clocks of a process and of the
 * database differ by milliseconds, and a list read just before would be left out.
 */
const Checkpoint = z.object({ read: z.array(z.string()).default([]) })

export interface PriceListSyncDeps {
  db: Database
  clock: Clock
  openZoho(onWait: (wait: RateLimitWait) => void): Promise<ZohoClient>
}

/**
 * Reads the price lists, and then the detail of each active one: its rates, and whether it is the
 * default. Each list is one transaction: a run that is resumed reads only those that it has not
 * read.
 */
export function createPriceListSync(deps: PriceListSyncDeps): RunHandler {
  return {
    kind: PRICE_LIST_SYNC,
    exclusiveKey: PRICE_LIST_SYNC,
    async execute(run) {
      try {
        return await sync(run, deps)
      } catch (error) {
        const paused = await pauseOnOutage(run, deps, error, { evenAtStart: true })
        if (paused) return paused
        throw error
      }
    },
  }
}

type Counts = Record<'total' | 'new' | 'updated' | 'unchanged' | 'removed' | 'rates_changed', number>

async function sync(run: RunContext, { db, clock, openZoho }: PriceListSyncDeps): Promise<{ state: 'success' }> {
  const { mode } = Params.parse(run.params)
  const zoho = await openZoho((wait) => run.report({ progress: { waiting: { ...wait, until: wait.until.toISOString() } } }))
  const read = new Set(Checkpoint.parse(run.checkpoint ?? {}).read)
  const known = new Map((await db.priceList.findMany()).map((list) => [list.id, list]))
  const unreadable: unknown[] = []
  const lists = await listAll(run, zoho, { isKnown: known.size > 0, unreadable })
  const notes: RunFailure[] = unreadable.map((row) => ({ stage: STAGE, ...failure('invalid_price_list', { name: nameOf(row) }) }))
  const counts: Counts = { total: lists.length, new: 0, updated: 0, unchanged: 0, removed: 0, rates_changed: 0 }
  const removed = new Set<string>()
  const tooOld = new Date(clock.now().getTime() - READ_AGAIN_MS)

  for (const [n, list] of lists.entries()) {
    run.report({ statistics: counts, progress: { phase: 'price_lists', done: n, total: lists.length, waiting: null } })
    const before = known.get(list.id)
    const isRead = list.status === 'active' && !read.has(list.id) && (mode === 'full' || isDue(list, before, tooOld))
    let detail: ZohoPriceListDetail | null = null
    if (isRead) {
      try {
        detail = await readPriceListDetail(zoho, { id: list.id, runId: run.id }, run.signal)
      } catch (error) {
        if (!(error instanceof ZohoNotFoundError)) throw error
        removed.add(list.id)
        continue
      }
    }
    const rates = list.kind === 'per_item' ? (detail?.rates ?? null) : null
    if (detail && list.kind === 'per_item') {
      if (!rates) notes.push({ stage: STAGE, ...failure('price_list_without_items', { name: list.name }) })
      else if (!rates.complete || rates.unreadable.length > 0)
        notes.push({ stage: STAGE, ...failure('invalid_price_list.items', { name: list.name, items: rates.unreadable }) })
    }
    if (list.kind === 'percentage' && list.percentage === null)
      notes.push({ stage: STAGE, ...failure('invalid_price_list.percentage', { name: list.name }) })
    await run.fencedRaw(async (tx) => {
      // A list that was not read although it should be is read by the next run, and an inactive one
      // when it becomes active.
      const readAt = (list.kind === 'per_item' ? rates : detail)
        ? clock.now()
        : isRead || list.status === 'inactive'
          ? null
          : (before?.read_at ?? null)
      const outcome = await saveList(tx, { ...list, isDefault: detail?.isDefault }, readAt)
      const moved = rates ? await saveRates(tx, list.id, rates) : 0
      counts.rates_changed += moved
      counts[outcome === 'unchanged' && moved > 0 ? 'updated' : outcome]++
      if (isRead) await run.saveCheckpoint(tx, { mode, read: [...read.add(list.id)] })
    })
  }

  for (const { id } of known.values()) {
    if (!lists.some((list) => list.id === id) && (await isGone(zoho, id, run))) removed.add(id)
  }
  await run.fenced(async (tx) => {
    counts.removed = (await tx.priceList.deleteMany({ where: { id: { in: [...removed] } } })).count
    notes.push(...(await unknownRoundings(tx)))
    await run.fail(tx, notes)
    await tx.failure.updateMany({
      where: { stage: STAGE, run_id: { not: run.id }, resolved_at: null },
      data: { resolved_at: clock.now() },
    })
    const done = { succeeded_at: clock.now(), run_id: run.id }
    await tx.watermark.upsert({ where: { name: PRICE_LIST_WATERMARK }, create: { name: PRICE_LIST_WATERMARK, ...done }, update: done })
    await run.saveCheckpoint(tx, { mode }, counts)
  })
  run.report({ statistics: counts })
  return { state: 'success' }
}

/** An organization without the feature has no such list at Zoho. */
async function listAll(
  run: RunContext,
  zoho: ZohoClient,
  { isKnown, unreadable }: { isKnown: boolean; unreadable: unknown[] },
): Promise<ZohoPriceList[]> {
  const lists: ZohoPriceList[] = []
  try {
    for await (const page of listPriceLists(zoho, { runId: run.id, onUnreadable: (row) => unreadable.push(row) }, run.signal))
      lists.push(...page)
  } catch (error) {
    const isMissing = error instanceof ZohoNotFoundError || (error instanceof AppError && zohoCodeOf(error) === NO_SUCH_PATH)
    if (isKnown || !isMissing) throw error
  }
  return lists
}

const isDue = (list: ZohoPriceList, before: PriceList | undefined, tooOld: Date): boolean =>
  !before?.read_at || before.read_at < tooOld || before.modified_at?.getTime() !== list.modified?.getTime()

/** A list that is not listed is removed only if Zoho does not have it either when asked for it. */
async function isGone(zoho: ZohoClient, id: string, run: RunContext): Promise<boolean> {
  try {
    await readPriceListDetail(zoho, { id, runId: run.id }, run.signal)
    return false
  } catch (error) {
    if (error instanceof ZohoNotFoundError) return true
    throw error
  }
}

const nameOf = (row: unknown): string => String((row as Record<string, unknown> | null)?.name ?? '?').slice(0, 200)

async function saveList(
  tx: RawDb,
  list: ZohoPriceList & Pick<ZohoPriceListDetail, 'isDefault'>,
  readAt: Date | null,
): Promise<'new' | 'updated' | 'unchanged'> {
  const [row] = await tx.$queryRaw<{ outcome: 'new' | 'updated' | 'unchanged' }[]>`
    with before as (select name, type, currency, kind, percentage, rounding, decimal_place, status from price_list where id = ${list.id}),
    written as (
      insert into price_list as old (id, name, type, currency, kind, percentage, rounding, decimal_place, is_default, status, modified_at, read_at)
      values (${list.id}, ${list.name}, ${list.type}, ${list.currency}, ${list.kind}, ${list.percentage}::numeric, ${list.rounding},
        ${list.decimalPlace}::integer, ${list.isDefault ?? null}::boolean, ${list.status}, ${list.modified}, ${readAt})
      on conflict (id) do update set name = excluded.name, type = excluded.type, currency = excluded.currency, kind = excluded.kind,
        percentage = excluded.percentage, rounding = excluded.rounding, decimal_place = excluded.decimal_place,
        is_default = coalesce(excluded.is_default, old.is_default), status = excluded.status, modified_at = excluded.modified_at,
        read_at = excluded.read_at
      returning name, type, currency, kind, percentage, rounding, decimal_place, status)
    select case when b.name is null then 'new' when b is distinct from w then 'updated' else 'unchanged' end as outcome
    from written w left join before b on true`
  return row!.outcome
}

/** Writes the rates that differ and removes those that are gone; returns how many that were. */
async function saveRates(tx: RawDb, id: string, { rates, unreadable, complete }: ZohoRates): Promise<number> {
  const rows = [...new Map(rates.map((rate) => [rate.itemId, rate])).values()]
  const [changed] = await tx.$queryRaw<{ count: number }[]>`
    with t as materialized (
      select t."itemId" as zoho_item_id, t.rate, case jsonb_typeof(t.brackets) when 'array' then t.brackets end as brackets
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as t("itemId" text, rate numeric, brackets jsonb)),
    gone as (
      delete from price_list_rate r where r.price_list_id = ${id} and ${complete}::boolean and r.zoho_item_id <> all(${unreadable}::text[])
        and not exists (select 1 from t where t.zoho_item_id = r.zoho_item_id) returning 1),
    written as (
      insert into price_list_rate as old (price_list_id, zoho_item_id, rate, brackets)
      select ${id}, zoho_item_id, rate, brackets from t where zoho_item_id <> all(${unreadable}::text[])
      on conflict (price_list_id, zoho_item_id) do update set rate = excluded.rate, brackets = excluded.brackets
        where (old.rate, old.brackets) is distinct from (excluded.rate, excluded.brackets) returning 1)
    select ((select count(*) from gone) + (select count(*) from written))::integer as count`
  return changed!.count
}

/** Lists without prices because zinc does not know how to round them. */
async function unknownRoundings(tx: RawDb): Promise<RunFailure[]> {
  const lists = await tx.$queryRaw<{ name: string; rounding: string }[]>`
    select name, rounding from price_list where status = 'active' and round_price(1, rounding, decimal_place) is null order by id`
  return lists.map(({ name, rounding }) => ({ stage: STAGE, ...failure('unknown_rounding', { name, rounding }) }))
}
