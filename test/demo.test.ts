import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { exportLines } from '../src/cli/demo.ts'
import { announceDemo, choosePorts, findRunningDemo, rememberPorts, replacingOlderDatabase } from '../src/cli/demo-state.ts'
import { openEmbeddedPostgres } from '../src/database/embedded/embedded-postgres.ts'
import { StartupError } from '../src/lib/errors.ts'
import { childEnvironment } from './helpers/child-environment.ts'
import { runZinc } from './helpers/cli.ts'
import { longTest } from './helpers/long.ts'
import { waitFor } from './helpers/wait-for.ts'

const log = pino({ level: 'silent' })

const run = promisify(execFile)

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zinc-demo-'))
  await chmod(folder, 0o755) // the account that PostgreSQL runs as under root must get in
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The demo with 20 items, once it has printed all it prints. */
async function startDemo(dataDir: string) {
  const child: ChildProcess = spawn(process.execPath, ['src/demo.ts', '--items', '20'], {
    env: { ...childEnvironment, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout!.on('data', (chunk) => (output += String(chunk)))
  const ended = once(child, 'exit').then(([status]) => status as number | null)
  await waitFor(() => output.includes('sync_images=true'))
  return { child, ended, output, url: /^Page: +(http:\/\/[^/\s]+)/m.exec(output)![1]! }
}

const images = async (folder: string) => (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp|gif)$/.test(name)).length

longTest(
  'one printed line lets the command line work on the demo, and no printed command holds a secret',
  async () => {
    const dataDir = await newFolder()
    const first = await startDemo(dataDir)
    const wanted = 20 - Number(/^(\d+) of 20 items have no image in the catalogue\.$/m.exec(first.output)![1])
    const commands = first.output.split('\n').filter((line) => line.startsWith('  ') && !line.includes('"'))
    const { environment } = (await findRunningDemo(join(dataDir, 'demo')))!
    const password = (await readFile(join(dataDir, 'demo', 'login'), 'utf8')).trim()
    for (const secret of [environment.ZINC_EDGE_TOKEN!, password]) expect(commands.join('\n')).not.toContain(secret)
    expect((await stat(join(dataDir, 'demo', 'environment.json'))).mode & 0o777).toBe(0o600)

    // As a person types it, in a shell whose own environment names a real shop.
    const evalLine = /^ {2}(eval .*)$/m.exec(first.output)![1]!.replace('npx zinc', 'bin/zinc.js')
    const edgeLine = /^ {2}(npx zinc edge pull .*) --dir/m.exec(first.output)![1]!.replace('npx zinc', 'bin/zinc.js')
    const script = `set -e
    ${evalLine}
    bin/zinc.js status --json
    bin/zinc.js fetch contacts --no-session >&2
    ${edgeLine} --dir '${dataDir}/edge' >&2
    TOKEN=$(bin/zinc.js login)
    curl -sf -H "Authorization: Bearer $TOKEN" ${first.url}/api/settings/integrations/zoho/quota`
    const { stdout } = await run('sh', ['-c', script], {
      env: { ...childEnvironment, DATABASE_URL: 'postgresql://127.0.0.1:1/real', ZOHO_API_URL: 'http://127.0.0.1:1' },
    })
    const [status, quota] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)) as [
      { data: { sign_in: object; pictures: object } },
      { data: { day: { limit: number; left: number } } },
    ]
    expect(status.data).toMatchObject({ sign_in: { state: 'signed_in' }, pictures: { stored: wanted, wanted } })
    expect(await images(join(dataDir, 'edge'))).toBe(wanted)
    expect(quota.data.day.limit).toBe(10_000)
    expect(quota.data.day.left).toBeLessThan(10_000 - wanted)

    const beside = await runZinc(['status'], { DATA_DIR: dataDir })
    expect([beside.status, beside.stderr]).toEqual([1, expect.stringContaining('eval "$(npx zinc demo env)"')])
    first.child.kill('SIGTERM')
    first.child.kill('SIGINT')
    expect(await first.ended).toBe(0)
    const none = await runZinc(['demo', 'env'], { DATA_DIR: dataDir })
    expect([none.status, none.stdout, none.stderr]).toEqual([1, '', expect.stringContaining('npm run demo')])
  },
  300_000,
)

longTest(
  'a demo keeps its ports, also from a shell with its environment, and is not started twice',
  async () => {
    const dataDir = await newFolder()
    const folder = join(dataDir, 'demo')
    const first = await startDemo(dataDir)
    const { environment } = (await findRunningDemo(folder))!
    const twin = spawn(process.execPath, ['src/demo.ts'], { env: { ...childEnvironment, DATA_DIR: folder }, stdio: 'ignore' })
    expect((await once(twin, 'exit'))[0]).toBe(1)
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)

    const second = await startDemo(folder)
    expect(second.url).toBe(first.url)
    expect((await findRunningDemo(folder))!.environment.ZOHO_API_URL).toBe(environment.ZOHO_API_URL)
    second.child.kill('SIGTERM')
    expect(await second.ended).toBe(0)
    expect(await readdir(dataDir)).toEqual(['demo'])
  },
  300_000,
)

longTest('a command that only reads makes no database where there is none, and says what to do', async () => {
  const dataDir = join(await newFolder(), 'data')
  for (const command of [['status'], ['user', 'list'], ['config', 'show']]) {
    const { status, stderr } = await runZinc(command, { DATA_DIR: dataDir })
    expect([status, stderr]).toEqual([1, expect.stringContaining(`No zinc database found in ${dataDir}\nSet DATA_DIR`)])
  }
  await expect(stat(dataDir)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('the demo takes another port where its own is taken, and keeps that one from then on', async () => {
  const folder = await newFolder()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: taken } = server.address() as { port: number }
  await rememberPorts(folder, { zinc: taken, simulator: taken })
  expect(await choosePorts(folder)).toEqual({ zinc: 0, simulator: 0 })
  server.close()
  await once(server, 'close')
  expect(await choosePorts(folder)).toEqual({ zinc: taken, simulator: taken })
})

test('a demo that was killed is not taken for a running one, though its file is there', async () => {
  const folder = await newFolder()
  const dead = spawn(process.execPath, ['-e', '0'])
  await once(dead, 'exit')
  const server = createHttpServer((_, response) => response.end('{}')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  await announceDemo(folder, { pid: dead.pid!, url, environment: {} })
  expect(await findRunningDemo(folder)).toBeNull() // another program has its port
  await announceDemo(folder, { pid: process.pid, url: 'http://127.0.0.1:1', environment: {} })
  expect(await findRunningDemo(folder)).toBeNull() // another program has its process id
  await announceDemo(folder, { pid: process.pid, url, environment: {} })
  expect(await findRunningDemo(folder)).toMatchObject({ url })
  await writeFile(join(folder, 'environment.json'), '{"pid"')
  expect(await findRunningDemo(folder)).toBeNull()
})

test('values with quotes, dollars and line ends reach the shell as they are', async () => {
  const value = `it's $HOME \`id\` "x" \\ \n end`
  const { stdout } = await run('sh', ['-c', `${exportLines({ VALUE: value }).join('\n')}\nprintf %s "$VALUE"`])
  expect(stdout).toBe(value)
})

test('an older database of the demo is replaced wherever it is; after other failures it is kept', async () => {
  const folder = await newFolder()
  const elsewhere = await newFolder()
  await symlink(elsewhere, join(folder, 'postgres')) // as under root
  const fill = async () => {
    await mkdir(join(elsewhere, 'cluster'), { recursive: true })
    await writeFile(join(folder, 'login'), 'x')
  }
  const failing = (code: 'newer_database' | 'older_database') => async () => {
    await fill()
    throw new StartupError(code, { migrations: ['x'] }, { exitStatus: 1 })
  }
  await expect(replacingOlderDatabase(folder, log, failing('newer_database'))).rejects.toMatchObject({ code: 'newer_database' })
  expect([await readdir(folder), await readdir(elsewhere)]).toEqual([['login', 'postgres'], ['cluster']])

  let starts = 0
  const start = async () => {
    if (starts++ === 0) await failing('older_database')()
    return [await readdir(folder), await readdir(elsewhere)]
  }
  expect(await replacingOlderDatabase(folder, log, start)).toEqual([[], []])
})

longTest('the data of the demo are not removed while another process works on its database', async () => {
  const folder = await newFolder()
  const server = await openEmbeddedPostgres({ dataDir: folder, log, durable: false })
  const older = async () => {
    throw new StartupError('older_database', {}, { exitStatus: 1 })
  }
  await expect(replacingOlderDatabase(folder, log, older)).rejects.toMatchObject({ code: 'demo_in_use', exitStatus: 1 })
  await server[Symbol.asyncDispose]()
  await expect(replacingOlderDatabase(folder, log, older)).rejects.toMatchObject({ code: 'older_database' })
  expect(await readdir(folder)).toEqual([])
})
