import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { exportLines } from './cli/demo.ts'
import {
  announceDemo,
  choosePorts,
  findRunningDemo,
  rememberPorts,
  replacingOlderDatabase,
  resolveDemoDir,
  withdrawDemo,
} from './cli/demo-state.ts'
import { watchRun } from './cli/progress-bar.ts'
import { describeItemSync } from './cli/sync.ts'
import { parseConfig } from './config.ts'
import { openDataDir } from './lib/data-dir.ts'
import { StartupError } from './lib/errors.ts'
import { createLogger } from './lib/logger.ts'
import { aborted, listenForShutdown } from './lib/shutdown-signal.ts'
import type { ItemSyncResult } from './schemas/runs.ts'
import { SYSTEM_ACTOR } from './settings/audit-log.ts'
import { printStartupError, type RunningServer, startServer } from './start-server.ts'
import { itemSyncResult } from './sync/items/item-sync-result.ts'
import { ITEM_SYNC } from './sync/items/item-sync-run.ts'
import { THREE_LOCATIONS } from './zoho-simulator/locations.ts'
import { createPriceBooks } from './zoho-simulator/price-books.ts'
import { DAY_LIMIT_ONLY, REAL_LIMITS } from './zoho-simulator/rate-limits.ts'
import { createSeed } from './zoho-simulator/seed.ts'
import { environmentFor, startZohoSimulator, type ZohoSimulator } from './zoho-simulator/simulator.ts'

const USAGE = `npm run demo -- [--once] [--port N] [--all-images] [--with-conflicts] [--photos DIR] [--real-limits] [--items N]

  --once            end after the sync; status 0 only if everything arrived
  --port N          the page's port: otherwise 8010, or any free one where that is in use
  --all-images      every item has an image (otherwise a third has none)
  --with-conflicts  some items share one SKU
  --photos DIR      use the photographs of a folder instead of drawn images
  --real-limits     keep Zoho's limit of calls per minute, too (a first sync then takes about 20 minutes)
  --items N         another number of items than 2204`

async function main(signal: AbortSignal): Promise<number> {
  const values = readOptions()
  if (!values) return 2
  if (values.help) {
    console.log(USAGE)
    return 0
  }

  const folder = await resolveDemoDir(resolve(process.env.DATA_DIR || './data'))
  const running = await findRunningDemo(folder)
  if (running) {
    console.error(`A demo is running in ${folder} already: ${running.url}\nStop it first, or set DATA_DIR to another folder.`)
    return 1
  }
  await openDataDir(folder)
  const ports = await choosePorts(folder, values.port)
  const items = createSeed({ count: values.items, allImages: values['all-images'], withConflicts: values['with-conflicts'] })
  const photos = values.photos ? await photographs(values.photos) : undefined
  const simulate = (port: number) =>
    startZohoSimulator({
      port,
      items,
      locations: THREE_LOCATIONS,
      priceBooks: createPriceBooks(items),
      limits: values['real-limits'] ? REAL_LIMITS : DAY_LIMIT_ONLY,
      ...(photos && { imageOf: photos }),
    })
  // Another program, or a second demo, may take a port between the look at it and the start.
  const zoho = await simulate(ports.simulator).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') return simulate(0)
    throw error
  })
  // Only these keys: the demo must never touch a real shop, whatever the environment or .env
  // contain.
  const environment = {
    DATA_DIR: folder,
    PORT: String(ports.zinc),
    ADMIN_USERNAME: 'demo',
    // A receiver of webhooks on this machine can be tried.
    WEBHOOK_URL_ALLOWLIST: '127.0.0.1,localhost',
    ...environmentFor(zoho.url),
    ...(values['real-limits'] && { ZOHO_REQUESTS_PER_MINUTE: '80' }),
  }
  const logLevel = process.env.LOG_LEVEL || 'warn'
  const log = createLogger(parseConfig({ ...environment, LOG_LEVEL: logLevel }).logLevel)
  const { password, serving } = await replacingOlderDatabase(folder, log, async () => {
    const password = await demoPassword(folder)
    const serve = (port: number) =>
      startServer(parseConfig({ ...environment, PORT: String(port), LOG_LEVEL: logLevel, ADMIN_PASSWORD: password }), log, { signal })
    const serving = await serve(ports.zinc).catch((error: unknown) => {
      if (values.port === undefined && error instanceof StartupError && error.code === 'port_in_use') return serve(0)
      throw error
    })
    return { password, serving }
  })
  const { url } = serving
  const port = new URL(url).port
  await rememberPorts(folder, { zinc: Number(port), simulator: Number(new URL(zoho.url).port) })
  const { store_id, token } = await demoStore(serving)
  await announceDemo(folder, { pid: process.pid, url, environment: { ...environment, PORT: port, ZINC_EDGE_TOKEN: token } })
  try {
    console.log(
      `Page:      ${url}/settings/integrations/zoho\nLogin:     demo / ${password}\nSimulator: ${zoho.url} (a Zoho with ${items.length} items)\n`,
    )
    // Tokens of an earlier demo's simulator are invalid for this one.
    await serving.services.db.zohoToken.deleteMany()
    await serving.services.db.zohoSignIn.deleteMany()
    const result = await Promise.race([syncWithProgress(serving), aborted(signal)])
    if (!result) {
      console.log('\nStopped; the next demo resumes where this one was.')
      return values.once ? 1 : 0
    }
    const ok = await complete(serving, zoho, result)
    print(serving, result, {
      password,
      ok,
      store_id,
      withoutPicture: withoutImage(zoho),
      of: items.length,
      simulator: zoho.url,
      item: items[0]!,
    })
    if (!values.once) await aborted(signal)
    return ok || !values.once ? 0 : 1
  } finally {
    await withdrawDemo(folder)
    await serving[Symbol.asyncDispose]()
    await zoho.close()
  }
}

/** Null when it was called wrongly, which has been reported then. */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        'all-images': { type: 'boolean', default: false },
        'with-conflicts': { type: 'boolean', default: false },
        'real-limits': { type: 'boolean', default: false },
        photos: { type: 'string' },
        port: { type: 'string' },
        items: { type: 'string', default: '2204' },
        help: { type: 'boolean', default: false },
      },
    })
    if (!/^[1-9]\d{0,6}$/.test(values.items)) throw new Error(`--items must be a whole number from 1, and not ${values.items}`)
    if (values.port !== undefined && !isPort(values.port))
      throw new Error(`--port must be a number from 1 to 65535, and not ${values.port}`)
    return { ...values, items: Number(values.items), port: values.port === undefined ? undefined : Number(values.port) }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return null
  }
}

const isPort = (text: string): boolean => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535

/** Generated once per demo folder, since the admin account stays. */
async function demoPassword(dataDir: string): Promise<string> {
  const file = join(dataDir, 'login')
  const known = await readFile(file, 'utf8').catch(() => null)
  if (known) return known.trim()
  const password = randomBytes(9).toString('base64url')
  await writeFile(file, `${password}\n`, { mode: 0o600 })
  return password
}

async function photographs(dir: string) {
  const files = (await readdir(dir)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort()
  if (files.length === 0) throw new Error(`There is no image in ${dir}`)
  return (item: { image_seed: number }) => readFile(join(dir, files[item.image_seed % files.length]!))
}

async function syncWithProgress({ services }: RunningServer): Promise<ItemSyncResult> {
  const { runs, db } = services
  const { run_id } = await runs
    .start(ITEM_SYNC, { mode: 'full', sync_images: true }, { startedBy: 'demo' })
    .catch(async (error: unknown) => {
      // A killed demo left its run behind; it was resumed, and is the one to watch.
      const [unfinished] = await runs.list({ kind: ITEM_SYNC, limit: 1 })
      if (unfinished) return { run_id: unfinished.id }
      throw error
    })
  const run = await watchRun(runs, run_id, {
    terminal: process.stdout.isTTY === true,
    say: console.log,
    signal: new AbortController().signal,
  })
  return itemSyncResult(db, run)
}

/**
 * Whether every image of the catalogue is stored, counted from the catalogue and not from the run's
 * own statistics.
 */
async function complete({ services }: RunningServer, zoho: ZohoSimulator, result: ItemSyncResult): Promise<boolean> {
  const requested = zoho
    .items()
    .filter((item) => item.image_document_id !== '')
    .map((item) => item.item_id)
  const stored = await services.db.product.findMany({
    where: { deleted_at: null, photos: { some: { deleted_at: null } } },
    select: { zoho_item_id: true },
  })
  const have = new Set(stored.map((product) => product.zoho_item_id))
  const missing = requested.filter((id) => !have.has(id))
  if (missing.length > 0) console.log(`${missing.length} images are missing`)
  return result.status === 'success' && missing.length === 0
}

const withoutImage = (zoho: ZohoSimulator): number => zoho.items().filter((item) => item.image_document_id === '').length

/**
 * Creates a store for the edge client. A token is shown once and not stored, so each demo issues
 * one, which expires after a day.
 */
async function demoStore({ services: { db, stores, edgeTokens } }: RunningServer): Promise<{ store_id: string; token: string }> {
  const code = 'DEMO'
  const store = (await db.store.findUnique({ where: { code } })) ?? (await stores.create({ code, name: 'Demo store' }, SYSTEM_ACTOR))
  const { token } = await edgeTokens.issue(store.id, { name: 'demo', expires_in_days: 1 }, SYSTEM_ACTOR)
  return { store_id: store.id, token }
}

interface Shown {
  password: string
  ok: boolean
  store_id: string
  withoutPicture: number
  of: number
  simulator: string
  /** One to change in the simulated Zoho. */
  item: { item_id: string; sku: string }
}

function print({ url }: RunningServer, result: ItemSyncResult, shown: Shown): void {
  const { password, ok, store_id, withoutPicture: withoutImage, of, simulator, item } = shown
  console.log(`\n${describeItemSync(result)}${ok ? '' : '\nSome images did not arrive: the page lists them under Failures.'}`)
  const count = (n: number) => n.toLocaleString('en-US')
  // The same folder in the other terminal; without DATA_DIR both use the default one.
  const dataDir = process.env.DATA_DIR ? `${exportLines({ DATA_DIR: process.env.DATA_DIR })[0]?.replace('export ', '')} ` : ''
  console.log(`
${withoutImage === 0 ? 'Every item has' : `${count(withoutImage)} of ${count(of)} items have no`} image in the catalogue.

Page:  ${url}/settings/integrations/zoho
Login: demo / ${password}        API: ${url}/docs

In another terminal, in the folder of zinc:

  eval "$(${dataDir}npx zinc demo env)"
  npx zinc status
  npx zinc edge pull --server ${url} --store ${store_id} --dir ./edge-demo
  TOKEN=$(npx zinc login)
  curl -s -H "Authorization: Bearer $TOKEN" '${url}/api/products?limit=2'
  curl -s -X POST -H "Authorization: Bearer $TOKEN" '${url}/api/settings/integrations/zoho/sync/item/execute?sync_images=true'

Change a price in the simulated Zoho, sync, and see it here:

  curl -s -X POST -H 'Content-Type: application/json' -d '{"rate":9.99}' ${simulator}/_control/items/${item.item_id}
  npx zinc sync items
  curl -s -H "Authorization: Bearer $TOKEN" '${url}/api/products/zoho:${item.item_id}'
`)
}

const { signal } = listenForShutdown()
try {
  process.exit(await main(signal))
} catch (error) {
  process.exit(error === signal.reason ? 0 : printStartupError(error))
}
