import { chmod, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDataDir } from '../../src/lib/data-dir.ts'
import { runZinc } from '../helpers/cli.ts'
import { longTest } from '../helpers/long.ts'
import { startPulls } from '../pulls/helpers.ts'

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'zinc-modes-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

test('a new data folder can be passed through and not listed by other accounts', async () => {
  const dir = join(await folder(), 'new')
  await openDataDir(dir)
  expect(await modeOf(dir)).toBe(0o711)
})

test('a start closes the business folders that an older zinc left open, but keeps the group and links', async () => {
  const dir = await folder()
  const elsewhere = await folder()
  await chmod(elsewhere, 0o755)
  for (const name of ['sync_sessions', 'raw_json', 'imports', 'images']) await mkdir(join(dir, name))
  for (const name of ['sync_sessions', 'raw_json', 'images']) await chmod(join(dir, name), 0o755)
  await chmod(join(dir, 'imports'), 0o775)
  await symlink(elsewhere, join(dir, 'reports'))
  await openDataDir(dir)
  const modes = await Promise.all(['sync_sessions', 'raw_json', 'imports', 'images'].map((name) => modeOf(join(dir, name))))
  expect(modes).toEqual([0o750, 0o750, 0o770, 0o755])
  expect((await lstat(join(dir, 'reports'))).isSymbolicLink()).toBe(true)
  expect(await modeOf(elsewhere)).toBe(0o755)
})

longTest('what a pull, a check and an export write is for the account of zinc only', async () => {
  const { zinc, pull, check } = await startPulls()
  await pull()
  await pull({ session: false, modules: ['bills'] })
  await check()
  const output = join(zinc.dataDir, 'bills.json')
  expect((await runZinc(['export', 'bills', '-o', output], zinc.environment)).status).toBe(0)
  expect(await modeOf(output)).toBe(0o600)
  const open: string[] = []
  let files = 0
  for (const name of ['sync_sessions', 'raw_json', 'reports']) {
    const root = join(zinc.dataDir, name)
    for (const path of [root, ...(await readdir(root, { recursive: true }).catch(() => [])).map((it) => join(root, it))]) {
      const mode = await modeOf(path).catch(() => null)
      if (mode !== null && (mode & 0o077) !== 0) open.push(`${path} ${mode.toString(8)}`)
      files += mode === 0o600 ? 1 : 0
    }
  }
  expect(open).toEqual([])
  expect(files).toBeGreaterThan(15)
})
