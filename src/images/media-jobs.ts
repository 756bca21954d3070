import type { Database } from '../database/client.ts'
import { ConflictError } from '../lib/errors.ts'
import type { Runs } from '../runs/runs.ts'
import type { MediaQueue } from '../schemas/media.ts'
import { IMAGES_IMPORT } from './import/import-run.ts'
import { MEDIA_INTEGRITY_REPAIR } from './integrity/repair-run.ts'
import { MEDIA_INTEGRITY_SCAN } from './integrity/scan-run.ts'
import { MEDIA_REGENERATE } from './processing/regenerate-run.ts'

type Queue = (typeof MediaQueue)['options'][number]
export const MEDIA_QUEUES: readonly Queue[] = [MEDIA_REGENERATE, IMAGES_IMPORT, MEDIA_INTEGRITY_SCAN, MEDIA_INTEGRITY_REPAIR]

/** Returns the image runs by kind, as queues with their counts. */
export async function listMediaJobs(db: Database) {
  const groups = await db.run.groupBy({ by: ['kind', 'state'], where: { kind: { in: [...MEDIA_QUEUES] }, cleared_at: null }, _count: true })
  const last = await db.run.findMany({
    where: { kind: { in: [...MEDIA_QUEUES] } },
    distinct: ['kind'],
    orderBy: { created_at: 'desc' },
    select: { id: true, kind: true, state: true, created_at: true },
  })
  return MEDIA_QUEUES.map((queue) => {
    const count = (...states: string[]) =>
      groups.filter((it) => it.kind === queue && states.includes(it.state)).reduce((sum, it) => sum + it._count, 0)
    const run = last.find((it) => it.kind === queue)
    return {
      queue,
      queued: count('queued'),
      running: count('running'),
      paused: count('paused'),
      failed: count('failed', 'partial'),
      last_run: run ? { id: run.id, state: run.state, created_at: run.created_at.toISOString() } : null,
    }
  })
}

interface Deps {
  db: Database
  runs: Pick<Runs, 'pause' | 'resume'>
}

/** Returns how many runs were paused. */
export async function pauseQueue({ db, runs }: Deps, queue: Queue): Promise<number> {
  const found = await db.run.findMany({ where: { kind: queue, state: { in: ['queued', 'running'] } }, select: { id: true } })
  return countChanged(found, runs.pause)
}
export async function resumeQueue({ db, runs }: Deps, queue: Queue): Promise<number> {
  const found = await db.run.findMany({ where: { kind: queue, state: 'paused' }, select: { id: true } })
  return countChanged(found, runs.resume)
}

/** A run that ended or was resumed since it was found is not counted; that is no error. */
async function countChanged(found: { id: string }[], change: (runId: string) => Promise<unknown>): Promise<number> {
  let changed = 0
  for (const { id } of found) {
    try {
      await change(id)
      changed++
    } catch (error) {
      if (!(error instanceof ConflictError && ['run_finished', 'run_not_paused'].includes(error.code))) throw error
    }
  }
  return changed
}

/** Dismisses their failures, which stay in the history of runs. */
export async function clearFailed({ db }: Deps, queue: Queue): Promise<number> {
  const now = new Date()
  await db.failure.updateMany({ where: { run: { kind: queue }, resolved_at: null, dismissed_at: null }, data: { dismissed_at: now } })
  const { count } = await db.run.updateMany({
    where: { kind: queue, state: { in: ['failed', 'partial'] }, cleared_at: null },
    data: { cleared_at: now },
  })
  return count
}
