import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { openDataFolder } from '../../lib/data-dir.ts'
import { CannotStart, Conflict } from '../../lib/errors.ts'
import { createClient } from '../connection.ts'
import { exists, liveUsers, lockFolder, MAJOR, nativeFolder, newUserFile, placeOf } from './data-dir.ts'
import { answers, initialise, liveUrl, startServer, stopServer } from './server.ts'
import { serviceAccount } from './system-user.ts'

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
  await openDataFolder(dataDir)
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

/**
 * Deletes the embedded database of a data folder, wherever its files are, and nothing else of the
 * folder; the next start makes an empty one.
 * Throws Conflict `database_in_use` while a process uses it.
 */
export async function deleteEmbeddedPostgres({ dataDir, log }: Pick<EmbeddedOptions, 'dataDir' | 'log'>): Promise<void> {
  const place = await placeOf(dataDir, serviceAccount(), log)
  const unlock = await lockFolder(place)
  try {
    if ((await liveUsers(place)) > 0) {
      throw new Conflict('database_in_use', 'A zinc process uses this database', { remedy: 'Stop it first.' })
    }
    await stopServer(join(place, 'cluster')) // one that was left behind by a killed process
    await rm(join(place, 'cluster'), { recursive: true, force: true })
  } finally {
    await unlock()
  }
}

/** Holds one connection to the server; when it breaks and nobody answers, `onGone` starts the server again. */
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
    if (!signal.aborted && !(await answers(url))) await onGone()
    if (!signal.aborted) await delay(200, undefined, { signal }).catch(() => {})
  }
}
