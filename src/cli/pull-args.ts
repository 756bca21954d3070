import type { Run } from '../generated/client.ts'
import { closestName } from '../lib/closest-name.ts'
import { BadRequestError } from '../lib/errors.ts'
import { resumeUnfinished } from '../pulls/resume-unfinished.ts'
import type { PullRequest } from '../schemas/pulls.ts'
import { PULL_APPS, PULL_MODULES, PullModule } from '../schemas/pulls.ts'
import type { CommandContext } from './context.ts'
import { watchRun } from './progress-bar.ts'

export const BY = { startedBy: 'command line' }

/** Returns ` Did you mean invoices?`, or nothing when no name is similar. */
export function didYouMean(word: string, names: readonly string[]): string {
  const name = closestName(word, names)
  return name === null ? '' : ` Did you mean ${name}?`
}

/**
 * Returns the module names that were typed; undefined for `all`: every module of the app. Throws
 * BadRequestError `unknown_module`.
 */
export function readModules(words: string[]): PullModule[] | undefined {
  const names = words
    .flatMap((word) => word.split(','))
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '')
  if (names.includes('all')) {
    if (names.length > 1) throw new BadRequestError('unknown_module.all')
    return undefined
  }
  return names.map((name) => {
    const module = PullModule.safeParse(name)
    if (module.success) return module.data
    throw new BadRequestError('unknown_module', { name, hint: didYouMean(name, ['all', ...PULL_MODULES]), modules: PULL_MODULES })
  })
}

export function readApp(app: string): (typeof PULL_APPS)[number] {
  const found = PULL_APPS.find((it) => it === app)
  if (!found) throw new BadRequestError('unknown_app', { apps: PULL_APPS })
  return found
}

/** Resumes what is unfinished, then starts the pull, with progress for people; returns the run. */
export async function runPull(
  context: CommandContext,
  start: () => Promise<{ run_id: string }>,
  requested: PullRequest | null,
): Promise<Run> {
  const { db, runs } = await context.services()
  const watch = async (runId: string) => {
    const run = await watchRun(runs, runId, context)
    // A signal ends only the display; the run itself is paused when the services close.
    context.signal.throwIfAborted()
    return run
  }
  return resumeUnfinished({ db, runs, watch, say: context.say }, start, requested)
}
