import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import type { Overrides } from '../../src/overrides.ts'
import { startServer } from '../../src/start-server.ts'
import { type TestZinc, testOverrides } from './zinc.ts'

/** Another process's worth of zinc on the same database and folder; answers its address. */
export async function startSecondInstance(
  { environment }: Pick<TestZinc, 'environment'>,
  more: Record<string, string> = {},
  overrides: Overrides = {},
): Promise<string> {
  const serving = await startServer(parseConfig({ ...environment, ...more }), pino({ level: 'silent' }), {
    ...testOverrides(),
    ...overrides,
  })
  onTestFinished(() => serving[Symbol.asyncDispose]())
  return serving.url
}
