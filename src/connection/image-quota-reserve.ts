/** Pictures leave this share of the day's calls to items unless an operator chose another: a shop's prices matter more than its pictures. */
const DEFAULT_PERCENT = 5

type Chosen = { image_reserve_percent: number | null } | null | undefined

export const imageQuotaReservePercent = (rateLimiter: Chosen): number => rateLimiter?.image_reserve_percent ?? DEFAULT_PERCENT

/** Calls of the day that pictures do not touch. */
export const imageQuotaReserve = (rateLimiter: Chosen, dayLimit: number): number =>
  Math.ceil((dayLimit * imageQuotaReservePercent(rateLimiter)) / 100)

/** The smaller one of Zoho's limit of a day and the one that is set for zinc; null while neither is known. */
export const dayLimitInForce = (reported: number | null, configured: number | undefined): number | null =>
  configured === undefined ? reported : Math.min(configured, reported ?? configured)
