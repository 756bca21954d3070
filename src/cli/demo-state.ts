import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import { deleteEmbeddedPostgres } from '../database/embedded/embedded-postgres.ts'
import { ConflictError, StartupError } from '../lib/errors.ts'

const ANSWER_WITHIN_MS = 5_000
const ENVIRONMENT_FILE = 'environment.json'
const PORTS_FILE = 'ports.json'

const RunningDemo = z.object({ pid: z.number(), url: z.string(), environment: z.record(z.string(), z.string()) })
/** What a running demo writes into its folder for `zinc demo env`. */
export type RunningDemo = z.infer<typeof RunningDemo>

const Ports = z.object({ zinc: z.number(), simulator: z.number() })
/** Kept so that bookmarks, and shells with the environment of an earlier start, keep working. */
export type DemoPorts = z.infer<typeof Ports>
const FIRST_PORTS: DemoPorts = { zinc: 8010, simulator: 8011 }

const read = async <T>(file: string, schema: z.ZodType<T>): Promise<T | null> => {
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null // truncated by a crash; written again at the next start
  }
}

/**
 * Returns the demo's folder below a data folder; in a shell with the demo's environment DATA_DIR is
 * the demo's folder already.
 */
export async function resolveDemoDir(dataDir: string): Promise<string> {
  return (await read(join(dataDir, PORTS_FILE), Ports)) ? dataDir : join(dataDir, 'demo')
}

/** Returns the ports of the previous start where they are free, otherwise any others. */
export async function choosePorts(folder: string, port?: number): Promise<DemoPorts> {
  const requested = (await read(join(folder, PORTS_FILE), Ports)) ?? FIRST_PORTS
  return { zinc: port ?? (await freePort(requested.zinc)), simulator: await freePort(requested.simulator) }
}

export const rememberPorts = (folder: string, ports: DemoPorts): Promise<void> => writeFile(join(folder, PORTS_FILE), JSON.stringify(ports))

/** The requested port, or 0 (any free one) where another program listens on it. */
async function freePort(requested: number): Promise<number> {
  const server = createServer()
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(requested, '127.0.0.1', () => resolve(true))
  })
  if (isFree) await new Promise((resolve) => server.close(resolve))
  return isFree ? requested : 0
}

/** Only the own account may read it: it contains the token of the demo's edge server. */
export async function announceDemo(folder: string, demo: RunningDemo): Promise<void> {
  await withdrawDemo(folder)
  await writeFile(join(folder, ENVIRONMENT_FILE), JSON.stringify(demo, null, 2), { mode: 0o600, flag: 'wx' })
}

export const withdrawDemo = (folder: string): Promise<void> => rm(join(folder, ENVIRONMENT_FILE), { force: true })

/**
 * Returns the demo that runs in this folder; null where there is none, or where a killed one left
 * its file.
 */
export async function findRunningDemo(folder: string): Promise<RunningDemo | null> {
  const demo = await read(join(folder, ENVIRONMENT_FILE), RunningDemo)
  if (!demo) return null
  const response = await fetch(`${demo.url}/health/live`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch(() => null)
  return response?.ok && isAlive(demo.pid) ? demo : null
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Starts the demo; where the database is one of an older zinc, it starts again in an emptied
 * folder: the demo's data have no value.
 */
export async function replacingOlderDatabase<T>(folder: string, log: Logger, start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    if (!(error instanceof StartupError) || error.code !== 'older_database') throw error
    await removeDemoFolder(folder, log)
    console.log(`The demo data in ${folder} was created by an older version of zinc and has been removed. The demo starts with new data.`)
    return start()
  }
}

/**
 * Empties the folder, including the database. Throws StartupError `demo_in_use` while a process
 * uses it.
 */
async function removeDemoFolder(folder: string, log: Logger): Promise<void> {
  try {
    await deleteEmbeddedPostgres({ dataDir: folder, log })
  } catch (cause) {
    if (!(cause instanceof ConflictError)) throw cause
    throw new StartupError('demo_in_use', { folder }, { exitStatus: 1, cause })
  }
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true })
}
