import { resolve } from 'node:path'
import type { Command } from 'commander'
import { ENVIRONMENT_KEYS, SECRET_FILE_KEYS } from '../config.ts'
import { NotFoundError } from '../lib/errors.ts'
import type { Action } from './context.ts'
import { findRunningDemo, type RunningDemo, resolveDemoDir } from './demo-state.ts'

export function addDemo(program: Command, action: Action): void {
  const demo = program.command('demo').description('use the running demo (start one with `npm run demo`)')
  demo
    .command('env')
    .description('print the environment variables of the running demo: eval "$(npx zinc demo env)"')
    .action(
      action(async ({ config, result }) => {
        const running = await findDemo(config.dataDir)
        if (!running) throw new NotFoundError('no_demo')
        const environment = demoEnvironment(running)
        result({ status: 'success', data: environment }, exportLines(environment).join('\n'))
        return undefined
      }),
    )
}

/**
 * Finds the running demo. `npm run demo` reads no `.env`, so it may run in the default folder
 * although DATA_DIR is in that file.
 */
export async function findDemo(dataDir: string): Promise<RunningDemo | null> {
  for (const parent of new Set([dataDir, resolve('./data')])) {
    const running = await findRunningDemo(await resolveDemoDir(parent))
    if (running) return running
  }
  return null
}

/**
 * Every other key of zinc is emptied: a DATABASE_URL of the shell or of `.env` would point the
 * commands to a real shop.
 */
const demoEnvironment = ({ environment }: RunningDemo): Record<string, string> => ({
  ...environment,
  ...Object.fromEntries([...ENVIRONMENT_KEYS, ...SECRET_FILE_KEYS].filter((key) => !(key in environment)).map((key) => [key, ''])),
})

/** Inside single quotes only the quote itself has to be escaped for the shell. */
export const exportLines = (environment: Record<string, string>): string[] =>
  Object.entries(environment).map(([key, value]) => `export ${key}='${value.replaceAll("'", `'\\''`)}'`)
