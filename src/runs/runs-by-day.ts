import type { Db } from '../database/client.ts'

export interface DayOfRuns {
  date: string
  success: number
  partial: number
  failed: number
  cancelled: number
  /** Queued, running or paused. */
  unfinished: number
}

/**
 * Returns how many runs of each of the last `days` days ended how, oldest first; days without runs
 * are there, too. A day is one of the zone.
 */
export function countRunsByDay(db: Db, { days, zone, at }: { days: number; zone: string; at: Date }): Promise<DayOfRuns[]> {
  return db.$queryRaw<DayOfRuns[]>`
    with day as (
      select generate_series((${at}::timestamptz at time zone ${zone})::date - (${days}::int - 1), (${at}::timestamptz at time zone ${zone})::date, '1 day')::date as day
    )
    select to_char(day.day, 'YYYY-MM-DD') as date,
      count(*) filter (where r.state = 'success')::int as success, count(*) filter (where r.state = 'partial')::int as partial,
      count(*) filter (where r.state = 'failed')::int as failed, count(*) filter (where r.state = 'cancelled')::int as cancelled,
      count(*) filter (where r.state in ('queued', 'running', 'paused'))::int as unfinished
    from day left join run r on r.created_at >= day.day::timestamp at time zone ${zone}
      and r.created_at < (day.day + 1)::timestamp at time zone ${zone}
    group by day.day order by day.day`
}
