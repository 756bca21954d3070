import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { childEnvironment } from '../helpers/child-environment.ts'
import { longTest, times } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const CHILD = fileURLToPath(new URL('../helpers/call-zoho.ts', import.meta.url))

/**
 * It starts several whole processes, which takes minutes on a machine that is busy with other
 * tests.
 */
const PATIENCE_MS = times(300_000, 1_800_000)

longTest(
  'ten processes that find the token expired refresh it once, and all their calls succeed',
  async () => {
    const zinc = await startZinc()
    await zinc.sync()
    const processes = times(10, 20)
    const children = Array.from({ length: processes }, () =>
      spawn(process.execPath, [CHILD], {
        env: { ...childEnvironment, ...zinc.environment, CALLS: '5' },
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    )
    // Each says that it is ready and then waits for the word.
    await Promise.all(children.map((child) => once(child.stdout, 'data')))
    zinc.zoho.expireTokens()
    const before = zinc.zoho.counters.token
    const responses = children.map(async (child) => {
      const response = once(child.stdout, 'data')
      child.stdin.end('go\n')
      const [line] = await response
      await once(child, 'exit')
      return String(line).trim()
    })
    expect(await Promise.all(responses)).toEqual(Array.from({ length: processes }, () => '5 calls went well'))
    expect(zinc.zoho.counters.token - before).toBe(1)
  },
  PATIENCE_MS,
)
