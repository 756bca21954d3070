import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { expect, onTestFinished } from 'vitest'
import { longTest } from './helpers/long.ts'
import { login } from './helpers/zinc.ts'
import { SMALL, startPulls } from './pulls/helpers.ts'

const run = promisify(execFile)
const guide = readFileSync('docs/data-guide.md', 'utf8')
const examples = (language: string) => [...guide.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map((match) => match[1]!)
const installed = (program: string) =>
  run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  )

longTest('the examples of the data guide do what they say', async ({ annotate }) => {
  const { zinc, pull, newest } = await startPulls()
  await pull()
  const session = await newest()
  const raw = join(zinc.dataDir, 'sync_sessions', session, 'raw_json', session.slice('sync_session_'.length))
  const environment = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    RAW: raw,
    URL: zinc.url,
    TOKEN: await login(zinc.url),
    ...zinc.environment,
  }

  const client = new pg.Client(zinc.services.databaseUrl)
  await client.connect()
  const responses: Record<string, string>[][] = []
  for (const sql of examples('sql')) responses.push((await client.query<Record<string, string>>(sql)).rows)
  const [fresh, sums, best, batch] = responses
  await client.end()
  expect(fresh!.map((row) => row.module)).toContain('invoices')
  expect(sums!.map((row) => row.currency)).toEqual(['EUR', 'IQD', 'USD'])
  expect(sums!.reduce((sum, row) => sum + Number(row.invoices), 0)).toBe(SMALL.invoices)
  expect([best!.length > 3, batch!.length]).toEqual([true, 100])

  const [curl, jq] = examples('sh')
  const response = JSON.parse((await run('sh', ['-c', curl!], { env: environment, maxBuffer: 1e8 })).stdout)
  expect([response.data.length, typeof response.next_cursor]).toEqual([100, 'string'])
  if (await installed('jq'))
    expect((await run('sh', ['-c', jq!], { env: environment, maxBuffer: 1e8 })).stdout.split('\n').length).toBeGreaterThan(50)
  else await annotate('jq is not installed: its example was not run')

  const folder = await mkdtemp(join(tmpdir(), 'zinc-guide-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await run('mkdir', [join(folder, 'node_modules')])
  await symlink(process.cwd(), join(folder, 'node_modules', 'zinc'))
  const printed: string[] = []
  for (const [n, source] of examples('ts').entries()) {
    await writeFile(join(folder, `example${n}.ts`), source)
    printed.push((await run(process.execPath, [`example${n}.ts`], { cwd: folder, env: environment })).stdout.trim())
  }
  expect(printed).toEqual([String(SMALL.invoices), 'success true'])

  if (!(await installed('python3'))) return void (await annotate('python3 is not installed: its example was not run'))
  await writeFile(join(folder, 'example.py'), examples('python')[0]!)
  const totals = (await run('python3', ['example.py'], { cwd: folder, env: environment })).stdout.trim().split('\n')
  expect(totals).toEqual(sums!.map((row) => `${row.currency} ${row.total}`))
})
