import { setInterval as every } from 'node:timers/promises'
import type { Database } from '../database/client.ts'
import type { Run } from '../generated/client.ts'
import { type Runs, UNFINISHED } from '../runs/runs.ts'
import { PullRequest } from '../schemas/pulls.ts'
import { modulesOf, PULL } from './checkpoint.ts'
import { PULL_REPAIR, PULL_VERIFY } from './verify/verify-run.ts'

/** How often it is looked whether the process that works on the run was killed meanwhile. */
const LOOK_EVERY_MS = 2_000

export interface CarryOnDeps {
  db: Database
  runs: Runs
  /** Follows a run until it stands. */
  watch(runId: string): Promise<Run>
  say(line: string): void
}

/** Follows a run until it stands, and takes it up whenever nobody works on it. */
async function follow({ runs, watch }: CarryOnDeps, runId: string): Promise<Run> {
  const watching = new AbortController()
  const looking = (async () => {
    for await (const _ of every(LOOK_EVERY_MS, undefined, { signal: watching.signal })) {
      const run = await runs.get(runId)
      if (run.state === 'queued' || run.state === 'running') await runs.carryOn(runId)
    }
  })().catch(() => {}) // the watching has ended
  try {
    return await watch(runId)
  } finally {
    watching.abort()
    await looking
  }
}

/** Whether the run does all that is asked for now, so that another one after it would have nothing to do. */
function covers(run: Run, wanted: PullRequest): boolean {
  const read = run.kind === PULL ? PullRequest.safeParse(run.params) : null
  if (!read?.success) return false
  const has = read.data
  const modules = new Set(modulesOf(has).map((it) => it.name))
  return (
    has.app === wanted.app &&
    modulesOf(wanted).every((it) => modules.has(it.name)) &&
    has.since === wanted.since &&
    has.line_items === wanted.line_items &&
    has.session === wanted.session &&
    (has.full || !wanted.full)
  )
}

/**
 * Carries on what a killed or stopped process left unfinished, then does what is asked, unless that was just it.
 * A pull that waits for the next day's quota is tried, and answered as it stands when it still has to wait.
 */
export async function carryOnThen(deps: CarryOnDeps, start: () => Promise<{ run_id: string }>, wanted: PullRequest | null): Promise<Run> {
  const { db, runs, say } = deps
  for (;;) {
    const open = await db.run.findFirst({
      where: { kind: { in: [PULL, PULL_VERIFY, PULL_REPAIR] }, state: { in: UNFINISHED } },
      orderBy: { created_at: 'asc' },
    })
    if (!open) break
    say(open.kind === PULL ? 'An unfinished pull is carried on.' : 'An unfinished check is carried on.')
    await runs.carryOn(open.id)
    const run = await follow(deps, open.id)
    if (run.state === 'paused' || (wanted && covers(run, wanted))) return run
  }
  const { run_id } = await start()
  return follow(deps, run_id)
}
