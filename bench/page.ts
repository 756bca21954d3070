import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sparticuz from '@sparticuz/chromium'
import { pino } from 'pino'
import { type Browser, chromium, type Page } from 'playwright-core'
import { parseConfig } from '../src/config.ts'
import { startServer } from '../src/start-server.ts'
import { createSeed } from '../src/zoho-simulator/seed.ts'
import { environmentFor, startZohoSimulator } from '../src/zoho-simulator/simulator.ts'

/**
 * What an operator waits for: the page with an empty cache, on the machine itself and as on a slow
 * phone line (1.6 Mbit/s, 150 ms, a processor
 * of a quarter of the speed). Layout shift is the browser's own sum; the middle of the rounds
 * counts.
 */
const [databaseUrl = ''] = process.argv.slice(2)
const ROUNDS = 3
const ITEMS = 400
const PASSWORD = 'a-password-for-the-bench'
const PAGES = { overview: '/settings/integrations/zoho', runs: '/settings/integrations/zoho/runs', products: '/settings/products' }
const LINES = {
  local: null,
  slow: { latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8, cpu: 4 },
}

interface Figures {
  first_paint_ms: number
  /** The largest piece of content stands: what a person calls loaded. */
  loaded_ms: number
  layout_shift: number
  script_bytes: number
  other_bytes: number
  requests: number
}

const dataDir = await mkdtemp(join(tmpdir(), 'zinc-bench-page-'))
const zoho = await startZohoSimulator({ items: createSeed({ count: ITEMS }) })
const serving = await startServer(
  parseConfig({
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    PORT: '0',
    ADMIN_PASSWORD: PASSWORD,
    ...environmentFor(zoho.url),
  }),
  pino({ level: 'silent' }),
)

/** Runs in the browser: begins to watch before the page's own scripts. */
const WATCH = `
  window.seen = { shift: 0, loaded: 0 }
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value }).observe({ type: 'layout-shift', buffered: true })
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) seen.loaded = entry.startTime }).observe({ type: 'largest-contentful-paint', buffered: true })
`
const READ = `({
  first_paint_ms: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
  loaded_ms: seen.loaded,
  layout_shift: seen.shift,
  script_bytes: performance.getEntriesByType('resource').filter((it) => it.name.endsWith('.js')).reduce((sum, it) => sum + it.encodedBodySize, 0),
  other_bytes: performance.getEntriesByType('resource').filter((it) => !it.name.endsWith('.js')).reduce((sum, it) => sum + it.encodedBodySize, 0),
  requests: performance.getEntriesByType('resource').length,
})`

async function login(page: Page): Promise<void> {
  const response = await page.request.post(`${serving.url}/api/v1/auth/login`, {
    data: { username: 'admin', password: PASSWORD, cookie: true },
  })
  if (!response.ok()) throw new Error(`login: ${response.status()}`)
}

async function measure(browser: Browser, path: string, line: (typeof LINES)[keyof typeof LINES]): Promise<Figures> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  await context.addInitScript(WATCH)
  const page = await context.newPage()
  await login(page)
  if (line) {
    const devtools = await context.newCDPSession(page)
    const { cpu, ...network } = line
    await devtools.send('Network.emulateNetworkConditions', { offline: false, ...network })
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: cpu })
  }
  await page.goto(`${serving.url}${path}`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
  await page.waitForLoadState('networkidle')
  const figures = await page.evaluate<Figures>(READ)
  await context.close()
  return figures
}

const middle = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const sync = await serving.services.runs.start('items', { mode: 'full', sync_images: true }, { startedBy: 'bench' })
await serving.services.runs.wait(sync.run_id, AbortSignal.timeout(120_000))
const browser = await chromium.launch({
  executablePath: await sparticuz.executablePath(),
  args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
})
const results: Record<string, Figures> = {}
for (const [name, path] of Object.entries(PAGES)) {
  for (const [line, conditions] of Object.entries(LINES)) {
    const rounds: Figures[] = []
    for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(browser, path, conditions))
    const keys = Object.keys(rounds[0] ?? {}) as (keyof Figures)[]
    results[`${name} ${line}`] = Object.fromEntries(keys.map((key) => [key, middle(rounds.map((one) => one[key]))])) as unknown as Figures
  }
}
await browser.close()
await serving[Symbol.asyncDispose]()
await zoho.close()
await rm(dataDir, { recursive: true, force: true })
console.log(JSON.stringify(results))
process.exit(0)
