import type { Db } from '../database/client.ts'
import type { ZohoRateLimit } from '../generated/client.ts'
import type { CallPurpose } from '../schemas/quota.ts'
import type { CallJob } from '../zoho/rate-limiter.ts'

interface PurposeRow {
  /** The purposes that calls are logged with. */
  jobs: readonly CallJob[]
  /** Kinds of runs that mostly make such calls. */
  runs: readonly string[]
  /**
   * Percent of the day that it leaves to purposes without a reserve; `setting`: the operator's
   * choice instead.
   */
  reserve: { percent: number; setting: 'image_reserve_percent' } | null
  /**
   * Percent of the day that it may use at most, and calls where Zoho's limit is unknown; `setting`:
   * the operator's choice instead.
   */
  share: { percent: number; callsWithoutLimit: number; setting?: 'stock_percent' } | null
}

/** A shop's prices matter more than its images. */
const IMAGE_RESERVE = { percent: 5, setting: 'image_reserve_percent' } as const

/**
 * The purposes of calls to Zoho: limits, use and forecast of each. The rate limiter, the quota, the
 * plans, the page and the table of docs/operations.md follow this one.
 */
export const CALL_PURPOSES: Record<CallPurpose, PurposeRow> = {
  items: { jobs: ['items', 'crm'], runs: ['items', 'item_notices', 'crm'], reserve: null, share: null },
  images: { jobs: ['image'], runs: ['zoho_gallery'], reserve: IMAGE_RESERVE, share: null },
  rechecks: { jobs: ['recheck'], runs: [], reserve: IMAGE_RESERVE, share: { percent: 10, callsWithoutLimit: 200 } },
  stock: {
    jobs: ['stock'],
    runs: ['stock'],
    reserve: null,
    share: { percent: 10, callsWithoutLimit: 200, setting: 'stock_percent' },
  },
  price_lists: { jobs: ['price_lists'], runs: ['price_lists'], reserve: null, share: null },
  groups: { jobs: ['groups'], runs: ['groups'], reserve: null, share: null },
  records: { jobs: ['pull'], runs: ['pull', 'pull_repair'], reserve: null, share: null },
  tests: { jobs: ['test', 'organization'], runs: [], reserve: null, share: null },
}
export const PURPOSES = Object.keys(CALL_PURPOSES) as CallPurpose[]

/** Returns the purpose of a call's job; those of an older zinc count for items. */
export const purposeOf = (job: string): CallPurpose =>
  PURPOSES.find((it) => (CALL_PURPOSES[it].jobs as readonly string[]).includes(job)) ?? 'items'
export const purposeOfRun = (kind: string): CallPurpose => PURPOSES.find((it) => CALL_PURPOSES[it].runs.includes(kind)) ?? 'items'

/** What operators chose at run time, and what STOCK_PERCENT says where they did not. */
export type Chosen = { [Key in 'image_reserve_percent' | 'stock_percent']?: ZohoRateLimit[Key] } | null | undefined
export const chosenBy = (
  row: Chosen,
  { stockPercent }: { stockPercent?: number | undefined },
): { image_reserve_percent: number | null; stock_percent: number | null } => ({
  image_reserve_percent: row?.image_reserve_percent ?? null,
  stock_percent: row?.stock_percent ?? stockPercent ?? null,
})

export function reservePercent(purpose: CallPurpose, chosen: Chosen): number {
  const { reserve } = CALL_PURPOSES[purpose]
  return reserve === null ? 0 : (chosen?.[reserve.setting] ?? reserve.percent)
}

/** Returns how many calls of the day a purpose leaves to others. */
export const reserveOf = (purpose: CallPurpose, chosen: Chosen, dayLimit: number): number =>
  Math.ceil((dayLimit * reservePercent(purpose, chosen)) / 100)

/** Returns the percentage of the day that a purpose may use at most; null: all. */
export function sharePercent(purpose: CallPurpose, chosen: Chosen): number | null {
  const { share } = CALL_PURPOSES[purpose]
  return share === null ? null : ((share.setting && chosen?.[share.setting]) ?? share.percent)
}

/** Returns how many calls a day a purpose may make at most; null: all. */
export function shareOf(purpose: CallPurpose, chosen: Chosen, dayLimit: number | null): number | null {
  const percent = sharePercent(purpose, chosen)
  if (percent === null) return null
  if (dayLimit === null) return percent === 0 ? 0 : CALL_PURPOSES[purpose].share!.callsWithoutLimit
  return Math.ceil((dayLimit * percent) / 100)
}

/** Returns the calls of a purpose since a moment, including those in flight. */
export function callsOf(
  db: Db,
  { organization, purpose, since }: { organization: string; purpose: CallPurpose; since: Date },
): Promise<number> {
  return db.zohoCall.count({ where: { organization, job: { in: [...CALL_PURPOSES[purpose].jobs] }, started_at: { gte: since } } })
}

/**
 * Returns the smaller of Zoho's limit per day and the one that is set for zinc; null while neither
 * is known.
 */
export const dayLimitInForce = (reported: number | null, configured: number | undefined): number | null =>
  configured === undefined ? reported : Math.min(configured, reported ?? configured)
