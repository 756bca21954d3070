import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chown, mkdir, readFile, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Logger } from 'pino'
import { StartupError } from '../../lib/errors.ts'
import { openNoFollow, readNoFollow } from '../../lib/open-regular-file.ts'
import { createClient } from '../connection.ts'
import { alive } from './data-dir.ts'
import type { SystemUser } from './system-user.ts'

const START_TIMEOUT_MS = 60_000

const run = promisify(execFile)
/** The caller's locale and PG* variables must not affect the result. */
const cleanEnvironment = () => ({ PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC' })
const asAccount = (account: SystemUser | undefined) => (account ? { uid: account.uid, gid: account.gid } : {})

export async function initdb({
  native,
  dataDir,
  cluster,
  account,
  log,
}: {
  native: string
  dataDir: string
  cluster: string
  account: SystemUser | undefined
  log: Logger
}) {
  const fresh = `${cluster}.new`
  await removeDataDir(fresh, account) // left by a start that was killed here
  await mkdir(fresh, { mode: 0o700 })
  const passwordFile = join(dataDir, 'password')
  await writeFile(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 })
  if (account) {
    await chown(fresh, account.uid, account.gid)
    await chown(passwordFile, account.uid, account.gid)
  }
  const args = [
    '-D',
    fresh,
    '-U',
    'zinc',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-instructions',
  ]
  try {
    await run(join(native, 'bin', 'initdb'), args, { ...asAccount(account), env: cleanEnvironment(), cwd: '/' })
  } catch (cause) {
    throw new StartupError('database_init', { problem: (cause as Error).message }, { exitStatus: 1, cause })
  }
  // Only initdb had to read it.
  if (account) await chown(passwordFile, 0, 0)
  await rename(fresh, cluster)
  log.info('embedded database created')
}

/**
 * Deletes a folder of the account as that account, so that a link planted meanwhile leads only to
 * the account's own files.
 */
export async function removeDataDir(folder: string, account: SystemUser | undefined): Promise<void> {
  // It cannot delete the folder itself, whose parent is ours; that is the ignored error.
  if (account) await run('rm', ['-rf', '--', folder], { ...asAccount(account), env: cleanEnvironment(), cwd: '/' }).catch(() => {})
  await (account ? rmdir(folder) : rm(folder, { recursive: true, force: true })).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** The socket's name contains this number; no port is opened. */
const SOCKET_PORT = 5432
/** The longest socket path that every system accepts (macOS: 104 with the terminator). */
const MAX_SOCKET_PATH = 103

/**
 * A folder that only the server's account and root can enter, or a loopback port, which every
 * account of the machine can reach.
 */
type Address = { socketDir: string } | { port: number }

const urlOf = (address: Address, password: string) => {
  const url = `postgresql://zinc:${encodeURIComponent(password)}@${'port' in address ? `127.0.0.1:${address.port}` : 'localhost'}/postgres`
  // pg treats a host that is a path as a socket; the host before it only makes the URL valid.
  return 'port' in address ? url : `${url}?host=${encodeURIComponent(address.socketDir)}&port=${SOCKET_PORT}`
}

const socketDirOf = (dataDir: string) => join(dataDir, 'socket')
const fitsSocket = (socketDir: string) => Buffer.byteLength(join(socketDir, `.s.PGSQL.${SOCKET_PORT}`)) <= MAX_SOCKET_PATH

/** Returns the URL of the running server of this cluster, if one answers. */
export async function liveUrl({
  dataDir,
  cluster,
  password,
}: Pick<StartOptions, 'dataDir' | 'cluster' | 'password'>): Promise<string | null> {
  for (let tries = 0; tries < 100; tries++) {
    const [pid, , , port, socketDir] = ((await readNoFollow(join(cluster, 'postmaster.pid'))) ?? '').split('\n')
    if (!Number(pid) || !alive(Number(pid))) return null
    // The file belongs to the account, which could name any socket there: only our own path is
    // accepted.
    const url = urlOf(socketDir === socketDirOf(dataDir) ? { socketDir } : { port: Number(port) || 0 }, password)
    if (await isAccepting(url)) return url
    await delay(100)
  }
  return null
}

export async function isAccepting(url: string): Promise<boolean> {
  const client = createClient(url, { connectionTimeoutMs: 2_000 })
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** The requested port if it is free, otherwise any free port. */
async function freePort(requested: number): Promise<number> {
  const server = createServer()
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(requested, '127.0.0.1', () => resolve(true))
  })
  if (!listening) return freePort(0)
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

interface StartOptions {
  native: string
  dataDir: string
  cluster: string
  password: string
  account: SystemUser | undefined
  log: Logger
  durable: boolean
  /** Also listens on loopback, for tests with a proxy in between. */
  tcp: boolean
}

/** Creates the folder of the socket, and removes what a dead server left there. */
async function prepareSocketDir(socketDir: string, account: SystemUser | undefined): Promise<void> {
  await mkdir(socketDir, { recursive: true, mode: 0o700 })
  if (account) await chown(socketDir, account.uid, account.gid)
  for (const name of [`.s.PGSQL.${SOCKET_PORT}`, `.s.PGSQL.${SOCKET_PORT}.lock`]) await rm(join(socketDir, name), { force: true })
}

/**
 * The same port as before where it is free: after a crash, the pools of all users find the new
 * server at the old URL.
 */
async function keptPort(dataDir: string): Promise<number> {
  const portFile = join(dataDir, 'port')
  const port = await freePort(Number(await readFile(portFile, 'utf8').catch(() => '0')))
  await writeFile(portFile, String(port))
  return port
}

export async function startPostgres({ native, dataDir, cluster, password, account, log, durable, tcp }: StartOptions): Promise<string> {
  await rm(join(cluster, 'postmaster.pid'), { force: true }) // no server uses it: checked by liveUrl under the lock
  const socketDir = socketDirOf(dataDir)
  const address: Address = tcp || !fitsSocket(socketDir) ? { port: await keptPort(dataDir) } : { socketDir }
  if ('socketDir' in address) await prepareSocketDir(socketDir, account)
  else if (!tcp)
    log.info({ dataDir }, 'the path of the data folder is too long for a socket; the embedded database listens on a port of loopback')
  const settings: Record<string, string> = {
    ...('port' in address
      ? { port: String(address.port), listen_addresses: '127.0.0.1', unix_socket_directories: '' }
      : { port: String(SOCKET_PORT), listen_addresses: '', unix_socket_directories: socketDir, unix_socket_permissions: '0700' }),
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  // In our own folder, and its ownership is never changed: in the account's folder, a planted link
  // would make root open and chown any file.
  const logPath = join(dataDir, 'server.log')
  const logFile = await openNoFollow(logPath, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600).catch((cause: Error) => {
    throw new StartupError('database_start.log', { problem: cause.message, path: logPath }, { exitStatus: 1, cause })
  })
  const child = spawn(
    join(native, 'bin', 'postgres'),
    ['-D', cluster, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    {
      ...asAccount(account),
      env: cleanEnvironment(),
      cwd: '/',
      detached: true,
      stdio: ['ignore', logFile.fd, logFile.fd],
    },
  )
  child.unref()
  await logFile.close()
  let ended: string | null = null
  child.on('error', (error) => (ended = error.message))
  child.on('exit', (code) => (ended ??= `exit status ${code}`))
  const url = urlOf(address, password)
  for (const until = Date.now() + START_TIMEOUT_MS; Date.now() < until && ended === null; ) {
    if (await isAccepting(url)) {
      log.debug(address, 'embedded database started')
      return url
    }
    await delay(50)
  }
  const tail = (await readFile(logPath, 'utf8').catch(() => '')).trim().split('\n').slice(-3).join(' · ')
  throw new StartupError('database_start', { ended: ended ?? 'no answer', log: tail }, { exitStatus: 1 })
}

/**
 * Whether a process is the server of this cluster, running as its account. The file with its
 * process id belongs to the account, which could name any process there. Where the system has no
 * /proc there is no other account either.
 */
async function isServerOf(pid: number, cluster: string, account: SystemUser | undefined): Promise<boolean> {
  if (process.platform !== 'linux') return account === undefined && alive(pid)
  const [status, commandLine] = await Promise.all(
    ['status', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
  )
  const uid = /^Uid:\s+(\d+)/m.exec(status ?? '')?.[1]
  const [program, option, folder] = (commandLine ?? '').split('\0')
  if (Number(uid ?? -1) !== (account?.uid ?? process.getuid?.()) || option !== '-D' || !program?.endsWith('/postgres')) return false
  const [theirs, ours] = await Promise.all([folder ?? '', cluster].map((path) => realpath(path).catch(() => null)))
  return theirs !== null && theirs === ours
}

interface StopOptions {
  native: string
  cluster: string
  account: SystemUser | undefined
  log: Logger
}

/** Shuts down fast: open transactions are rolled back and everything is on disk when it ends. */
export async function stopPostgres({ native, cluster, account, log }: StopOptions): Promise<void> {
  const pid = Number(((await readNoFollow(join(cluster, 'postmaster.pid'))) ?? '').split('\n')[0])
  if (!pid || !alive(pid)) return
  if (!(await isServerOf(pid, cluster, account))) {
    log.warn({ pid }, 'postmaster.pid names a process that is not the embedded database; it is not stopped')
    return
  }
  // As the account, so that the kernel refuses a signal to any process of ours even if the file has
  // changed since.
  await run(join(native, 'bin', 'pg_ctl'), ['stop', '-D', cluster, '-m', 'fast', '-w', '-t', '10'], {
    ...asAccount(account),
    env: cleanEnvironment(),
    cwd: '/',
    timeout: 15_000,
  }).catch((err: unknown) => log.warn({ err }, 'the embedded database did not stop in time'))
  for (let tries = 0; tries < 40 && alive(pid); tries++) await delay(25)
}
