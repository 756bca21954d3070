import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { createWorkerPool, type WorkerPool } from '../../src/images/processing/worker-pool.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Overrides } from '../../src/overrides.ts'
import { type RunningServer, startServer } from '../../src/start-server.ts'
import { PRICE_LIST_WATERMARK } from '../../src/sync/price-lists/price-list-run.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { environmentFor, type SimulatorOptions, startZohoSimulator, type ZohoSimulator } from '../../src/zoho-simulator/simulator.ts'
import { createTestDatabase } from './database.ts'
import { copySynced } from './synced.ts'
import { waitFor } from './wait-for.ts'

const PASSWORD = 'a-password-for-tests'
/** Of no use to an attacker who has the hash, and fast. */
const CHEAP = { memoryCost: 8, timeCost: 1, parallelism: 1 }
/** One for all servers of a worker: its children start once, and end with the worker. */
let workers: WorkerPool | undefined

/**
 * What a server in the tests' own process has instead of its own; `undefined` in a test's overrides
 * takes it back.
 */
export const testOverrides = (): Overrides => {
  workers ??= createWorkerPool({ size: 2 })
  // The template is migrated; each connection that checks it costs PostgreSQL a process.
  return { passwordCost: CHEAP, workers, databasePrepared: true }
}

export interface TestZinc extends RunningServer {
  zoho: ZohoSimulator
  dataDir: string
  environment: Record<string, string>
  call(path: string, init?: RequestInit): Promise<Response>
  sync(query?: string): Promise<SyncResponse>
}

export interface SyncResponse {
  status: string
  run_id: string
  mode: string
  statistics: Record<string, number>
  errors: { code: string; stage: string; zoho_item_id: string | null }[]
}

export type TestOptions = SimulatorOptions & {
  environment?: Record<string, string>
  clock?: Clock
  /**
   * Begins with 30 items and the pictures of 20 of them, as a sync has left them; the items of the
   * simulator must be the usual ones.
   */
  synced?: boolean
  /** Hosts other than Zoho's and Google's; with the simulator at hand. */
  overrides?(zoho: ZohoSimulator): Omit<Overrides, 'clock'>
}

/**
 * The real zinc on a database and a folder of its own, beside a Zoho that listens; both are gone
 * when the test ends.
 */
export async function startZinc(options: TestOptions = {}): Promise<TestZinc> {
  const zinc = await openZinc(options)
  onTestFinished(zinc.end)
  return zinc
}

/**
 * The same for all tests of a file: `beforeAll(async () => { zinc = await openZinc(); return
 * zinc.end })`.
 */
export async function openZinc({
  environment: more = {},
  clock,
  overrides,
  synced = false,
  ...options
}: TestOptions = {}): Promise<TestZinc & { stop(): Promise<void>; end(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'zinc-data-'))
  const database = synced ? await copySynced(dataDir, syncOnce) : await createTestDatabase()
  const zoho = await startZohoSimulator({ items: createSeed({ count: 30 }), ...options })
  const environment = {
    DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    // Each connection costs PostgreSQL a process.
    DATABASE_MAX_CONNECTIONS: '3',
    PORT: '0',
    LOG_LEVEL: 'silent',
    ADMIN_PASSWORD: PASSWORD,
    // Its run would make calls while a test counts those of another; tests of it ask for it.
    STOCK_PERCENT: '0',
    ...environmentFor(zoho.url),
    ...more,
  }
  const serving = await startServer(parseConfig(environment), pino({ level: 'silent' }), {
    ...testOverrides(),
    ...(clock && { clock }),
    ...overrides?.(zoho),
  })
  let stopped = false
  const stop = async () => {
    if (stopped) return
    stopped = true
    await serving[Symbol.asyncDispose]()
    await zoho.close()
  }
  const end = async () => {
    await stop()
    await database.drop()
    await rm(dataDir, { recursive: true, force: true })
  }
  const token = await login(serving.url)
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${serving.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })
  return {
    ...serving,
    stop,
    end,
    zoho,
    dataDir,
    environment,
    call,
    sync: async (query = '') =>
      (await (await call(`/api/settings/integrations/zoho/sync/item/execute${query}`, { method: 'POST' })).json()) as SyncResponse,
  }
}

/**
 * Serves until the usual items and their pictures are there, and hands over what is left when it
 * has stopped.
 */
async function syncOnce(work: (left: { url: string; dataDir: string }) => Promise<void>): Promise<void> {
  const zinc = await openZinc()
  try {
    const { status } = await zinc.sync('?sync_images=true')
    if (status !== 'success') throw new Error(`the sync that tests begin with ended as ${status}`)
    // What follows a full sync is done, and not due again in the tests.
    await waitFor(async () => (await zinc.services.db.run.count({ where: { state: { in: ['queued', 'running'] } } })) === 0)
    await zinc.stop()
    await work({ url: zinc.environment.DATABASE_URL!, dataDir: zinc.dataDir })
  } finally {
    await zinc.end()
  }
}

/**
 * Marks price lists as read a moment ago. Otherwise a run that follows the first full sync reads
 * them while a test counts calls, runs or failures.
 */
export async function skipPriceLists({ services: { db, clock } }: Pick<TestZinc, 'services'>): Promise<void> {
  await db.watermark.create({ data: { name: PRICE_LIST_WATERMARK, succeeded_at: clock.now() } })
}

/** Calls for items and images, without those of the runs that follow a full sync. */
export const itemCalls = ({ counters }: ZohoSimulator): number => counters.list + counters.details + counters.images

export async function login(url: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: PASSWORD }),
  })
  const { data } = (await response.json()) as { data: { access_token: string } }
  return data.access_token
}
