import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { JobQueue } from '../queue/queue.ts'
import type { NotificationStore } from '../settings/notification-settings.ts'
import { causeOf, clearOnce, notification, notifyOnce } from './notifications.ts'

export interface AlertChecksDeps {
  db: Database
  clock: Clock
  queue: JobQueue
  settings: NotificationStore
  /** Kinds of runs that read data from Zoho. */
  syncKinds: string[]
  /** What is known of backups by the clock. */
  backupPlan(): Promise<{ target: string | null; warn_after_hours: number | null; newest_good_at: string | null; too_old: boolean }>
}

const STORE_KEY = 'store_silent:'
const MINUTE_MS = 60_000

/**
 * Finds problems that would go unnoticed: failed runs, syncs that stopped, silent stores. Each is
 * reported once until it has ended.
 */
export function createAlertChecks({ db, clock, queue, settings, syncKinds, backupPlan }: AlertChecksDeps): () => Promise<void> {
  async function failedRuns(): Promise<void> {
    const newest = await db.run.findMany({
      where: { state: { in: ['success', 'partial', 'failed'] } },
      distinct: ['kind'],
      orderBy: [{ kind: 'asc' }, { finished_at: { sort: 'desc', nulls: 'last' } }],
      select: { id: true, kind: true, state: true, cause: true, remedy: true, failure_code: true, failure_params: true },
    })
    await db.$transaction(async (tx) => {
      await clearOnce(
        tx,
        newest.filter((run) => run.state !== 'failed').map((run) => `run_failed:${run.kind}`),
      )
      for (const { id, kind, failure_code: code, failure_params: params, ...run } of newest.filter((it) => it.state === 'failed')) {
        const cause = run.cause === null ? null : causeOf({ ...run, code, params })
        await notifyOnce(tx, `run_failed:${kind}`, notification('run_failed', { kind, cause, run_id: id }), { clock, queue })
      }
    })
  }

  async function nothingSynced(minutes: number | null): Promise<void> {
    const last = await db.run.findFirst({
      where: { state: { in: ['success', 'partial'] }, kind: { in: syncKinds }, finished_at: { not: null } },
      orderBy: { finished_at: 'desc' },
      select: { finished_at: true },
    })
    const silent = minutes !== null && last?.finished_at && clock.now().getTime() - last.finished_at.getTime() > minutes * MINUTE_MS
    await db.$transaction(async (tx) => {
      if (!silent) return clearOnce(tx, ['nothing_synced'])
      const at = last.finished_at!.toISOString()
      await notifyOnce(tx, 'nothing_synced', notification('nothing_synced', { last: at }), { clock, queue })
    })
  }

  async function storesSilent(minutes: number | null): Promise<void> {
    // A store that was never seen is not set up yet rather than silent.
    const before = new Date(clock.now().getTime() - (minutes ?? 0) * MINUTE_MS)
    const silent = minutes === null ? [] : await db.store.findMany({ where: { last_seen_at: { lt: before } } })
    const keys = new Set(silent.map(({ id }) => STORE_KEY + id))
    await db.$transaction(async (tx) => {
      const reported = await tx.sentNotification.findMany({ where: { key: { startsWith: STORE_KEY } } })
      await clearOnce(
        tx,
        reported.map(({ key }) => key).filter((key) => !keys.has(key)),
      )
      for (const { id, code, name, last_seen_at } of silent) {
        const alert = notification('store_silent', { name, last_seen: last_seen_at!.toISOString() })
        const isNew = await notifyOnce(tx, STORE_KEY + id, alert, { clock, queue })
        const facts = JSON.stringify({ store_id: id, code, name, last_seen_at })
        if (isNew) await tx.$executeRaw`select add_webhook_event('store.silent', ${facts}::jsonb)`
      }
    })
  }

  async function backupTooOld(): Promise<void> {
    const { target, warn_after_hours, newest_good_at, too_old } = await backupPlan()
    await db.$transaction(async (tx) => {
      if (!too_old) return clearOnce(tx, ['backup_too_old'])
      const alert = notification('backup_too_old', { newest: newest_good_at, target, hours: warn_after_hours })
      await notifyOnce(tx, 'backup_too_old', alert, { clock, queue })
    })
  }

  return async () => {
    const { silences } = await settings.read()
    await failedRuns()
    await nothingSynced(silences.nothing_synced_after_minutes)
    await storesSilent(silences.store_silent_after_minutes)
    await backupTooOld()
  }
}
