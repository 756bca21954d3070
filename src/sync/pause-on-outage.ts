import { z } from 'zod'
import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import { because, becauseOf } from '../runs/because.ts'
import { pausedUntil, type RunContext, type RunOutcome } from '../runs/run-handler.ts'
import { ConfigurationError, RateLimitedError, ZohoUnavailableError } from '../zoho/errors.ts'
import { OAuthUnavailableError } from '../zoho/oauth-errors.ts'
import { ZohoOutage } from './images/sync-images.ts'

/** While Zoho does not answer, a run retries after a minute, then after growing pauses. */
const OUTAGE_MS = 60_000
const LONGEST_OUTAGE_MS = 15 * 60_000
/** Two and a half hours of outage: the rest is left to the next run. */
const MAX_OUTAGES = 13
const OUTAGES = [ZohoOutage, ZohoUnavailableError, OAuthUnavailableError]
const Counted = z.looseObject({ outages: z.int().min(0).catch(0).default(0) })

/**
 * Zoho refuses what it allowed earlier in the same run: it may pass soon, and the run shows the
 * cause until then.
 */
const isRefused = (error: unknown): error is ConfigurationError =>
  error instanceof ConfigurationError && (error.code === 'scope_missing' || error.code === 'zoho_refused')

interface OutageOptions {
  /** Also a run that has read nothing yet waits; otherwise its caller learns of the outage. */
  evenAtStart?: boolean
}

/**
 * Returns how a run waits for Zoho after this error; null: the error is another one, or the run has
 * waited long enough. Outages are counted in the checkpoint until the run saves its next one.
 */
export async function pauseOnOutage(
  run: RunContext,
  { db, clock }: { db: Database; clock: Clock },
  error: unknown,
  { evenAtStart = false }: OutageOptions = {},
): Promise<RunOutcome | null> {
  if (error instanceof RateLimitedError) return pausedUntil(error)
  const refused = isRefused(error) ? error : null
  if (!refused && !OUTAGES.some((kind) => error instanceof kind)) return null
  const { checkpoint } = await db.run.findUniqueOrThrow({ where: { id: run.id }, select: { checkpoint: true } })
  if (checkpoint === null && (refused || !evenAtStart)) return null
  const at = Counted.parse(checkpoint ?? {})
  const outages = at.outages + 1
  if (outages > MAX_OUTAGES) return refused ? null : { state: 'partial', ...because('zoho_unavailable_timeout') }
  await run.fenced((tx) => run.saveCheckpoint(tx, { ...at, outages }))
  const resumes_at = new Date(clock.now().getTime() + Math.min(LONGEST_OUTAGE_MS, OUTAGE_MS * 2 ** (outages - 1)))
  return { state: 'paused', resumes_at, ...(refused ? becauseOf(refused) : because('zoho_unavailable')) }
}
