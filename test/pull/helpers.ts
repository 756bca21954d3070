import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../../src/generated/client.ts'
import { PULL } from '../../src/pull/checkpoint.ts'
import type { SimulatorOptions } from '../../src/simulator/zoho.ts'
import { startZinc } from '../helpers/zinc.ts'

/** zinc beside a Books that listens, and a way to pull and wait. */
export async function startPulls(options: SimulatorOptions & { environment?: Record<string, string> } = {}) {
  const zinc = await startZinc(options)
  const { runs } = zinc.services
  return {
    zinc,
    async pull(params: Record<string, unknown>): Promise<Run> {
      const { run_id } = await runs.start(PULL, params as object, { startedBy: 'test' })
      return runs.wait(run_id, new AbortController().signal)
    },
    /** The newest session's name. */
    async session(): Promise<string> {
      return (await readdir(join(zinc.dataDir, 'sync_sessions')))
        .filter((it) => !it.startsWith('.'))
        .sort()
        .at(-1)!
    },
  }
}
