import { Cron } from 'croner'
import { BadRequestError } from '../lib/errors.ts'

/**
 * Returns the next times of a cron line of five fields, strictly after `from`, on the wall clock of
 * `zone`. Where summer time begins, a time in the gap runs right after it; where it ends, a time
 * that comes twice runs once, while "every n minutes" runs through both hours. Throws
 * BadRequestError `invalid_schedule`.
 */
export function nextTimes(cron: string, { zone, from, count = 1 }: { zone: string; from: Date; count?: number }): Date[] {
  let times: Date[]
  try {
    if (!/^\S+(\s+\S+){4}$/.test(cron.trim())) throw new Error('it must have five fields: minute hour day month weekday')
    times = new Cron(cron.trim(), { timezone: zone, paused: true, mode: '5-part' }).nextRuns(count, from)
  } catch (cause) {
    throw new BadRequestError('invalid_schedule', { problem: cause instanceof Error ? cause.message : String(cause), cron }, { cause })
  }
  if (times.length === 0) throw new BadRequestError('invalid_schedule.no_such_day', { cron })
  return times
}

/** The wall clock of a zone, for example 2026-11-25 09:15. */
export const localTime = (at: Date, zone: string): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(at)

/** Returns how often a cron line occurs until a moment, at most 5,000 times. */
export const occurrencesUntil = (cron: string, { zone, from, until }: { zone: string; from: Date; until: Date }): number =>
  nextTimes(cron, { zone, from, count: Math.min(5_000, Math.max(1, Math.ceil((until.getTime() - from.getTime()) / 60_000))) }).filter(
    (at) => at <= until,
  ).length
