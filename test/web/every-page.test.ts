import { expect } from 'vitest'
import { axeFindings, type Language, logIn, openBrowser, settled, sidewaysPixels, type Theme, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const PATHS = [
  '/settings/integrations/zoho',
  '/settings/integrations/zoho/connection',
  '/settings/integrations/zoho/connection?tab=credentials',
  '/settings/integrations/zoho/connection?tab=scopes',
  '/settings/integrations/zoho/connection?tab=webhook',
  '/settings/integrations/zoho/modules',
  '/settings/integrations/zoho/modules?tab=mapping',
  '/settings/integrations/zoho/runs',
  '/settings/integrations/zoho/failures',
  '/settings/products',
  '/settings/products?view=grid',
  '/settings/products/import',
  '/settings/media',
  '/settings/media?tab=storage',
  '/settings/media?tab=integrity',
  '/settings/media?tab=sizes',
  '/settings/stores',
  '/settings/pulls',
  '/settings/pulls/compare',
  '/settings/account',
  '/settings/users',
  '/settings/api-keys',
  '/settings/webhooks',
  '/settings/backups',
  '/settings/integrations/zoho/notifications',
  '/settings/integrations/zoho/calls',
  '/settings/integrations/zoho/audit',
  '/settings/nowhere',
  '/settings/reconnect#a-link-that-somebody-was-sent-by-mail',
]
const PAIRS: [Language, Theme][] = [
  ['en', 'light'],
  ['ar', 'dark'],
  ['en', 'dark'],
  ['ar', 'light'],
]

/**
 * The pages of what is only there once somebody has made it: a product, a store with its token's
 * dialog, a pulled and verified session.
 */
async function madeThings({ call, services }: TestZinc): Promise<string[]> {
  const send = async <T>(path: string, body?: unknown) =>
    (await (
      await call(path, {
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
    ).json()) as T
  const run = async (path: string, body: unknown) =>
    services.runs.wait((await send<{ run_id: string }>(path, body)).run_id, AbortSignal.timeout(60_000))
  const products = await send<{ data: { id: string }[] }>('/api/products?has_image=true&limit=1')
  const store = await send<{ data: { id: string } }>('/api/v1/stores', { code: 'BGW-01', name: 'Karrada' })
  await run('/api/pulls/', { modules: ['items', 'invoices'] })
  const sessions = await send<{ data: { session: string }[] }>('/api/pulls/')
  await run(`/api/pulls/${sessions.data[0]!.session}/verify`, {})
  await run('/api/media/integrity/scan', {})
  return [
    ...['', '?tab=details', '?tab=prices', '?tab=stock', '?tab=history', '?tab=zoho'].map(
      (tab) => `/settings/products/${products.data[0]!.id}${tab}`,
    ),
    `/settings/stores/${store.data.id}`,
    `/settings/stores/${store.data.id}?token=new`,
    `/settings/pulls/${sessions.data[0]!.session}`,
  ]
}

/** 22 pages are looked at twice each; on two busy cores that takes longer than other tests. */
const TIMEOUT_MS = 1_800_000

longTest.each(PAIRS)(
  'each page in %s and %s, wide and narrow, has no axe finding, overflow or policy refusal',
  async (language, theme) => {
    const zinc = await startZinc({ synced: true })
    const { id: run_id } = await zinc.services.db.run.findFirstOrThrow()
    const made = await madeThings(zinc)
    const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url, language, theme })
    const found: string[] = []
    const look = async (path: string) => {
      for (const width of [1440, 360]) {
        await page.setViewportSize({ width, height: 900 })
        const wrong = await axeFindings(page)
        const sideways = await sidewaysPixels(page)
        if (sideways > 0) wrong.push(`${sideways} px too wide`)
        found.push(...wrong.map((finding) => `${path} ${width}: ${finding}`))
      }
      await page.setViewportSize({ width: 1440, height: 900 })
    }
    await page.goto('/settings/integrations/zoho')
    await page.getByRole('button', { name: /^(Log in|تسجيل الدخول)$/ }).waitFor()
    await look('login')
    await logIn(page, { username: 'admin', password: 'a-password-for-tests' })
    for (const path of [...PATHS, ...made, `/settings/integrations/zoho/runs/${run_id}`]) {
      await page.goto(path)
      await settled(page)
      expect(await page.title()).toMatch(/ · zinc$/)
      expect(await page.locator('html').getAttribute('dir')).toBe(language === 'ar' ? 'rtl' : 'ltr')
      expect(await page.locator('html').getAttribute('data-mantine-color-scheme')).toBe(theme)
      await look(path)
    }
    expect([...found, ...complaints]).toEqual([])
  },
  TIMEOUT_MS,
)
