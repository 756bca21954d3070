import { readFile } from 'node:fs/promises'
import sparticuz from '@sparticuz/chromium'
import pg from 'pg'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { inject, onTestFinished } from 'vitest'

export type Language = 'en' | 'ar'
export type Theme = 'light' | 'dark'

/** Any number that is the same in all workers of a run. */
const UNPACK_LOCK = 7_263_001

/** The path of Chromium. It is unpacked at first use: one worker does it, the others wait. */
async function chromiumPath(): Promise<string> {
  const client = new pg.Client(inject('postgresUrl'))
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [UNPACK_LOCK])
    return await sparticuz.executablePath()
  } finally {
    await client.end()
  }
}

let browser: Promise<Browser> | undefined

async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: await chromiumPath(),
    // Web security stays on: the page's policy is part of what is tested.
    args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
  })
}

/**
 * The Chromium of this worker; it ends with it. Tests share it and nothing in it: each visitor has
 * a context of their own.
 */
export async function openBrowser(): Promise<Browser> {
  browser ??= launch()
  return browser
}

export interface Visit {
  context: BrowserContext
  page: Page
  /**
   * What the browser complained about: refused by the policy, errors of scripts. Empty at the end
   * of a good test.
   */
  complaints: string[]
}

/** A visitor of their own, with their own cookies; `origin` is where zinc serves. */
export async function visit(
  browser: Browser,
  { origin, language = 'en', theme = 'light', width = 1440 }: { origin: string; language?: Language; theme?: Theme; width?: number },
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, baseURL: origin, reducedMotion: 'reduce' })
  onTestFinished(() => context.close())
  await context.addInitScript(`localStorage.setItem('zinc-language', '${language}'); localStorage.setItem('zinc-color-scheme', '${theme}')`)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    // A request that failed is no fault of the page: tests provoke them, and error cards show them.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  return { context, page, complaints }
}

/** Logs in through the form, as a person does. */
export async function logIn(page: Page, { username, password }: { username: string; password: string }): Promise<void> {
  await page.getByLabel(/Username|اسم المستخدم/).fill(username)
  await page.getByLabel(/^(Password|كلمة المرور)$/).fill(password)
  await page.getByRole('button', { name: /^(Log in|تسجيل الدخول)$/ }).click()
  await page
    .getByRole('navigation')
    .or(page.getByRole('button', { name: /Open menu|فتح القائمة/ }))
    .first()
    .waitFor()
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const axeSource = readFile('node_modules/axe-core/axe.min.js', 'utf8')

/** What axe finds against WCAG 2.2 AA, as "rule: element" lines. */
export async function axeFindings(page: Page): Promise<string[]> {
  // Through the protocol, since the page's policy lets no foreign script in.
  await page.evaluate(await axeSource)
  // Scrolled, a control may lie half under the head of the page, which is no fault of it.
  await page.evaluate('window.scrollTo(0, 0)')
  const violations = await page.evaluate<{ id: string; nodes: { target: string[]; failureSummary?: string }[] }[]>(
    `axe.run({ runOnly: ${JSON.stringify(RULES)}, resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  )
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`))
}

/**
 * How many pixels the document is wider than its window; 0 when nothing is cut off or has to be
 * scrolled sideways.
 */
export const sidewaysPixels = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')

/** Everything that was asked for is there: no skeleton is left. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page
    .getByRole('status', { name: /^(Loading|جارٍ التحميل)$/ })
    .first()
    .waitFor({ state: 'detached' })
}

interface TraceEvent {
  name: string
  pid: number
  tid: number
  /** Processor time in microseconds: what other programs take of the machine is not in it. */
  tdur?: number
  args?: { name?: string }
}

/** The longest tasks of the page's main thread while `work` ran, in ms of processor time. */
export async function longestTasks(page: Page, work: () => Promise<void>, count = 3): Promise<number[]> {
  const session = await page.context().newCDPSession(page)
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  const complete = new Promise<void>((resolve) => session.once('Tracing.tracingComplete', () => resolve()))
  await session.send('Tracing.start', { traceConfig: { includedCategories: ['toplevel', 'disabled-by-default-devtools.timeline'] } })
  await work()
  await session.send('Tracing.end')
  await complete
  await session.detach()
  const main = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
  const tasks = events.filter(
    ({ name, pid, tid, tdur }) =>
      name === 'RunTask' && tdur !== undefined && main.some((thread) => thread.pid === pid && thread.tid === tid),
  )
  return tasks
    .map(({ tdur = 0 }) => tdur / 1_000)
    .sort((a, b) => b - a)
    .slice(0, count)
}
