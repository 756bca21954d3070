import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { openDataDir } from '../../lib/data-dir.ts'
import { ConflictError, StartupError } from '../../lib/errors.ts'
import { readNoFollow } from '../../lib/open-regular-file.ts'
import { createClient } from '../connection.ts'
import { countActiveProcesses, exists, lockDataDir, MAJOR, newUserFile, resolveBinDir, resolveDataDir } from './data-dir.ts'
import { initdb, isAccepting, liveUrl, removeDataDir, startPostgres, stopPostgres } from './server.ts'
import { findSystemUser } from './system-user.ts'

export interface EmbeddedOptions {
  /** The data folder of zinc; the cluster is its `postgres/`. */
  dataDir: string
  log: Logger
  /** False only in tests: a crash of the machine may then lose committed data. */
  durable?: boolean
  /**
   * True only in tests and benchmarks that need a proxy in between: a loopback port instead of a
   * socket.
   */
  tcp?: boolean
}

export interface EmbeddedPostgres extends AsyncDisposable {
  url: string
}

/**
 * Opens the bundled PostgreSQL: created at the first start, attached to when one is already running
 * for this folder, started outside our process group (so that Ctrl-C and our own exit do not stop
 * it for other users), and stopped by its last user. Throws StartupError (exit status 1).
 */
export async function openEmbeddedPostgres({ dataDir, log, durable = true, tcp = false }: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const account = findSystemUser()
  await openDataDir(dataDir)
  const dir = await resolveDataDir(dataDir, account, log)
  const cluster = join(dir, 'cluster')
  const native = await resolveBinDir(account)
  const userFile = newUserFile(dir)

  async function ensureRunning(): Promise<string> {
    const unlock = await lockDataDir(dir)
    try {
      if (!(await exists(join(cluster, 'PG_VERSION')))) await initdb({ native, dataDir: dir, cluster, account, log })
      // The file belongs to the account: only a number from it may get into a message.
      const version = /^\d+(\.\d+)?$/.exec(((await readNoFollow(join(cluster, 'PG_VERSION'))) ?? '').trim())?.[0] ?? 'unknown'
      if (version !== MAJOR) {
        throw new StartupError('database_version', { version, own: MAJOR }, { exitStatus: 1 })
      }
      await writeFile(userFile, '')
      const password = (await readFile(join(dir, 'password'), 'utf8')).trim()
      const running = await liveUrl({ dataDir: dir, cluster, password })
      if (running) return running
      return await startPostgres({ native, dataDir: dir, cluster, password, account, log, durable, tcp })
    } finally {
      await unlock()
    }
  }

  const url = await ensureRunning()
  const watching = new AbortController()
  const watcher = watch(url, watching.signal, async () => {
    log.warn('embedded database stopped, restarting')
    await ensureRunning().catch((err: unknown) => log.error({ err }, 'embedded database could not be restarted'))
  })
  return {
    url,
    async [Symbol.asyncDispose]() {
      watching.abort()
      await watcher
      const unlock = await lockDataDir(dir)
      try {
        await rm(userFile, { force: true })
        if ((await countActiveProcesses(dir)) === 0) await stopPostgres({ native, cluster, account, log })
      } finally {
        await unlock()
      }
    },
  }
}

/**
 * Deletes the embedded database of a data folder, wherever its files are, and nothing else of the
 * folder; the next start creates an empty one. Throws ConflictError `database_in_use` while a
 * process uses it.
 */
export async function deleteEmbeddedPostgres({ dataDir, log }: Pick<EmbeddedOptions, 'dataDir' | 'log'>): Promise<void> {
  const account = findSystemUser()
  const dir = await resolveDataDir(dataDir, account, log)
  const native = await resolveBinDir(account)
  const cluster = join(dir, 'cluster')
  const unlock = await lockDataDir(dir)
  try {
    if ((await countActiveProcesses(dir)) > 0) {
      throw new ConflictError('database_in_use')
    }
    await stopPostgres({ native, cluster, account, log }) // left by a killed process
    await removeDataDir(cluster, account)
  } finally {
    await unlock()
  }
}

/**
 * Holds one connection to the server; when it breaks and the server does not answer, `onGone`
 * starts it again.
 */
async function watch(url: string, signal: AbortSignal, onGone: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    const client = createClient(url)
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
    if (!signal.aborted && !(await isAccepting(url))) await onGone()
    if (!signal.aborted) await delay(200, undefined, { signal }).catch(() => {})
  }
}
