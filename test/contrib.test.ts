import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { childEnvironment } from './helpers/child-environment.ts'
import { longTest } from './helpers/long.ts'
import { oldWorld } from './helpers/predecessors.ts'

const run = promisify(execFile)

/** Notes its arguments and answers like zinc. */
const STAND_IN = `
const args = process.argv.slice(2)
const failed = args.includes('nothing')
console.error('progress and logs go here')
if (args.includes('--json')) console.log(JSON.stringify(failed ? { status: 'error', code: 'unknown_module' } : { status: 'success', args }))
else console.log(args.join(' '))
process.exitCode = failed ? 2 : 0
`

const CALLS = `
import json
from api_sync.runner_api_sync import create_runner
import api_sync
runner = create_runner(log_level="info")
print(json.dumps([
    runner.fetch_data("invoices", full_sync=True),
    runner.fetch_data("bills", since="2025-01-01T00:00:00Z", use_session_folder=False),
    runner.fetch_all_modules(),
    runner.verify_data(modules=["invoices", "bills"], quick=True, session="sync_session_x"),
    api_sync.create_runner().get_status(),
    runner.fetch_data("nothing"),
]))
`

longTest('the Python package of the predecessor calls zinc with its arguments and returns dicts', async () => {
  const dir = await oldWorld()
  await writeFile(join(dir, 'zinc.mjs'), STAND_IN)
  const env = {
    ...childEnvironment,
    PYTHONPATH: join(import.meta.dirname, '../contrib/python'),
    PYTHONDONTWRITEBYTECODE: '1',
    ZINC_COMMAND: `'${process.execPath}' '${join(dir, 'zinc.mjs')}'`,
  }
  const { stdout } = await run('python3', ['-c', CALLS], { env })
  const [full, since, all, verify, status, wrong] = JSON.parse(stdout) as Record<string, unknown>[]
  const INFO = ['--json', '--log-level', 'INFO']
  expect(full).toMatchObject({ success: true, status: 'success', args: [...INFO, 'fetch', 'invoices', '--full'] })
  expect(since!.args).toEqual([...INFO, 'fetch', 'bills', '--since', '2025-01-01T00:00:00Z', '--no-session'])
  expect(all!.args).toEqual([...INFO, 'fetch', 'all'])
  expect(verify!.args).toEqual([...INFO, 'verify', '--modules', 'invoices,bills', '--session', 'sync_session_x', '--quick'])
  expect(status!.args).toEqual(['--json', '--log-level', 'WARNING', 'status'])
  expect(wrong).toEqual({ status: 'error', code: 'unknown_module', success: false, exit_status: 2 })

  expect((await run('python3', ['-m', 'api_sync', 'verify', '--quick', '-m', 'bills'], { env })).stdout).toBe('verify --quick -m bills\n')
  await expect(run('python3', ['-m', 'api_sync', 'fetch', 'nothing'], { env })).rejects.toMatchObject({ code: 2 })
  await expect(run('python3', ['-m', 'api_sync', 'unknown'], { env })).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('usage'),
  })
})
