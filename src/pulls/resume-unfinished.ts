import { setInterval as every } from 'node:timers/promises'
import type { Database } from '../database/client.ts'
import type { Run } from '../generated/client.ts'
import { type Runs, UNFINISHED } from '../runs/runs.ts'
import { PullRequest } from '../schemas/pulls.ts'
import { modulesOf, PULL } from './checkpoint.ts'
import { PULL_REPAIR, PULL_VERIFY } from './verify/verify-run.ts'

/** How often to check whether the process that works on the run has died. */
const LOOK_EVERY_MS = 2_000

export interface ResumeDeps {
  db: Database
  runs: Runs
  /** Follows a run until it has ended or paused. */
  watch(runId: string): Promise<Run>
  say(line: string): void
}

/** Follows a run until it has ended or paused, and resumes it whenever no process works on it. */
async function follow({ runs, watch }: ResumeDeps, runId: string): Promise<Run> {
  const watching = new AbortController()
  const looking = (async () => {
    for await (const _ of every(LOOK_EVERY_MS, undefined, { signal: watching.signal })) {
      const run = await runs.get(runId)
      if (run.state === 'queued' || run.state === 'running') await runs.resumeHere(runId)
    }
  })().catch(() => {}) // the watch has ended
  try {
    return await watch(runId)
  } finally {
    watching.abort()
    await looking
  }
}

/**
 * Whether the run covers the present request, so that another one after it would have nothing to
 * do.
 */
function includesRequest(run: Run, request: PullRequest): boolean {
  const read = run.kind === PULL ? PullRequest.safeParse(run.params) : null
  if (!read?.success) return false
  const has = read.data
  const modules = new Set(modulesOf(has).map((it) => it.name))
  return (
    has.app === request.app &&
    modulesOf(request).every((it) => modules.has(it.name)) &&
    has.since === request.since &&
    has.line_items === request.line_items &&
    has.session === request.session &&
    (has.full || !request.full)
  )
}

/**
 * Resumes what a killed or stopped process left unfinished, then starts the request unless the
 * resumed run covered it. A pull that waits for the next day's quota is resumed, and returned as
 * paused when it still has to wait.
 */
export async function resumeUnfinished(
  deps: ResumeDeps,
  start: () => Promise<{ run_id: string }>,
  request: PullRequest | null,
): Promise<Run> {
  const { db, runs, say } = deps
  for (;;) {
    const open = await db.run.findFirst({
      where: { kind: { in: [PULL, PULL_VERIFY, PULL_REPAIR] }, state: { in: UNFINISHED } },
      orderBy: { created_at: 'asc' },
    })
    if (!open) break
    say(open.kind === PULL ? 'An unfinished pull is resumed.' : 'An unfinished check is resumed.')
    await runs.resumeHere(open.id)
    const run = await follow(deps, open.id)
    if (run.state === 'paused' || (request && includesRequest(run, request))) return run
  }
  const { run_id } = await start()
  return follow(deps, run_id)
}
