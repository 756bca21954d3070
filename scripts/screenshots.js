// Screenshots of every page of a running `npm run demo`, in both languages and themes, narrow and
// wide. Called without --out, it prints its options.
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sparticuz from '@sparticuz/chromium'
import { chromium } from 'playwright-core'

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    'data-dir': { type: 'string', default: join('data', 'demo') },
    only: { type: 'string', default: '' },
    width: { type: 'string', multiple: true, default: ['360', '1440'] },
    en: { type: 'boolean', default: false },
    ar: { type: 'boolean', default: false },
    light: { type: 'boolean', default: false },
    dark: { type: 'boolean', default: false },
  },
})
if (!values.out) {
  console.error(
    'node scripts/screenshots.js --out DIR [--data-dir DIR] [--only NAME,…] [--en] [--ar] [--light] [--dark] [--width PX]…\n' +
      'A demo must be running (npm run demo). Without --en or --ar, and --light or --dark: both.',
  )
  process.exit(2)
}
const HEIGHT = { 360: 800 }
const DEFAULT_HEIGHT = 900
const MAX_HEIGHT = 6_000
const chosen = (names) => (names.some((name) => values[name]) ? names.filter((name) => values[name]) : names)
const only = values.only.split(',').filter(Boolean)

const demo = JSON.parse(await readFile(join(values['data-dir'], 'environment.json'), 'utf8'))
const password = (await readFile(join(values['data-dir'], 'login'), 'utf8')).trim()
await mkdir(values.out, { recursive: true })

const HOME = '/settings/integrations/zoho'
const PAGES = {
  overview: HOME,
  connection: `${HOME}/connection`,
  'connection-credentials': `${HOME}/connection?tab=credentials`,
  'connection-scopes': `${HOME}/connection?tab=scopes`,
  'connection-webhook': `${HOME}/connection?tab=webhook`,
  modules: `${HOME}/modules`,
  mapping: `${HOME}/modules?tab=mapping`,
  runs: `${HOME}/runs`,
  failures: `${HOME}/failures`,
  notifications: `${HOME}/notifications`,
  calls: `${HOME}/calls`,
  audit: `${HOME}/audit`,
  products: '/settings/products',
  'products-grid': '/settings/products?view=grid',
  'products-import': '/settings/products/import',
  media: '/settings/media',
  'media-storage': '/settings/media?tab=storage',
  'media-integrity': '/settings/media?tab=integrity',
  'media-sizes': '/settings/media?tab=sizes',
  stores: '/settings/stores',
  pulls: '/settings/pulls',
  account: '/settings/account',
  users: '/settings/users',
  'api-keys': '/settings/api-keys',
  webhooks: '/settings/webhooks',
  backups: '/settings/backups',
  'pull-compare': '/settings/pulls/compare',
  'not-found': '/settings/nowhere',
}

const browser = await chromium.launch({
  executablePath: await sparticuz.executablePath(),
  args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
})

/** A context that is logged in. */
async function visitor(language, theme, width) {
  const context = await browser.newContext({
    viewport: { width, height: HEIGHT[width] ?? DEFAULT_HEIGHT },
    baseURL: demo.url,
    reducedMotion: 'reduce',
  })
  await context.addInitScript(`localStorage.setItem('zinc-language', '${language}'); localStorage.setItem('zinc-color-scheme', '${theme}')`)
  const response = await context.request.post('/api/v1/auth/login', { data: { username: 'demo', password, cookie: true } })
  if (!response.ok()) throw new Error(`login: ${response.status()} ${await response.text()}`)
  return context
}

/** Pages of things that exist: the newest of each. */
async function pagesOfThings(context) {
  const first = async (path, key = 'id') => (await (await context.request.get(path)).json()).data?.[0]?.[key]
  const product = await first('/api/products?has_image=true&limit=1')
  const run = await first('/api/settings/integrations/zoho/sync/runs?limit=1')
  const store = await first('/api/v1/stores')
  const pull = await first('/api/pulls/', 'session')
  return {
    ...(product && {
      product: `/settings/products/${product}`,
      'product-details': `/settings/products/${product}?tab=details`,
      'product-prices': `/settings/products/${product}?tab=prices`,
      'product-stock': `/settings/products/${product}?tab=stock`,
      'product-history': `/settings/products/${product}?tab=history`,
      'product-zoho': `/settings/products/${product}?tab=zoho`,
    }),
    ...(run && { run: `${HOME}/runs/${run}` }),
    ...(store && { store: `/settings/stores/${store}` }),
    ...(pull && { pull: `/settings/pulls/${pull}` }),
  }
}

let failed = 0
for (const language of chosen(['en', 'ar']))
  for (const theme of chosen(['light', 'dark']))
    for (const width of values.width.map(Number)) {
      const context = await visitor(language, theme, width)
      const page = await context.newPage()
      page.on('pageerror', (error) => {
        failed++
        console.error(`${page.url()}: ${error}`)
      })
      const pages = { ...PAGES, ...(await pagesOfThings(context)) }
      for (const [name, path] of Object.entries(pages)) {
        if (only.length > 0 && !only.includes(name)) continue
        await page.goto(path)
        await page.getByRole('heading', { level: 1 }).waitFor()
        await page
          .getByRole('status', { name: /^(Loading|جارٍ التحميل)$/ })
          .first()
          .waitFor({ state: 'detached' })
        // The run's events and the status line stay open, so "network idle" is only for images.
        await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => undefined)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
        if (wide > 0) {
          failed++
          console.error(`${name} ${language} ${theme} ${width}: ${wide} px too wide`)
        }
        // A list of thousands of rows is drawn as far as the window only.
        const fullPage = await page.evaluate((most) => document.documentElement.scrollHeight < most, MAX_HEIGHT)
        await page.screenshot({ path: join(values.out, `${name}-${language}-${theme}-${width}.png`), fullPage })
      }
      await context.close()
    }
await browser.close()
process.exitCode = failed > 0 ? 1 : 0
