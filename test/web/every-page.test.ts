import { expect, test } from 'vitest'
import { axeFindings, type Language, logIn, openBrowser, settled, sidewaysPixels, type Theme, visit } from '../helpers/browser.ts'
import { times } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const PATHS = [
  '/settings/integrations/zoho',
  '/settings/integrations/zoho/connection',
  '/settings/integrations/zoho/modules',
  '/settings/integrations/zoho/runs',
  '/settings/integrations/zoho/failures',
  '/settings/users',
  '/settings/integrations/zoho/notices',
  '/settings/integrations/zoho/calls',
  '/settings/integrations/zoho/audit',
  '/settings/nowhere',
]
/** Each language and theme comes once in the short form; all four pairs in the long one. */
const PAIRS: [Language, Theme][] = [
  ['en', 'light'],
  ['ar', 'dark'],
  ['en', 'dark'],
  ['ar', 'light'],
]

test('each page in both languages and themes, wide and narrow: axe finds nothing, nothing is cut off, the policy refuses nothing', async () => {
  const { url, sync } = await startZinc()
  const { run_id } = await sync('?sync_images=true')
  const browser = await openBrowser()
  const found: string[] = []
  for (const [language, theme] of PAIRS.slice(0, times(2, 4))) {
    const { context, page, complaints } = await visit(browser, { origin: url, language, theme })
    await page.goto('/settings/integrations/zoho')
    await page.getByRole('button', { name: /^(Log in|تسجيل الدخول)$/ }).waitFor()
    const look = async (path: string) => {
      for (const width of [1440, 360]) {
        await page.setViewportSize({ width, height: 900 })
        const wrong = await axeFindings(page)
        const sideways = await sidewaysPixels(page)
        if (sideways > 0) wrong.push(`${sideways} px too wide`)
        found.push(...wrong.map((finding) => `${path} ${language} ${theme} ${width}: ${finding}`))
      }
      await page.setViewportSize({ width: 1440, height: 900 })
    }
    await look('login')
    await logIn(page, { username: 'admin', password: 'a-password-for-tests' })
    for (const path of [...PATHS, `/settings/integrations/zoho/runs/${run_id}`]) {
      await page.goto(path)
      await settled(page)
      expect(await page.title()).toMatch(/ · zinc$/)
      expect(await page.locator('html').getAttribute('dir')).toBe(language === 'ar' ? 'rtl' : 'ltr')
      expect(await page.locator('html').getAttribute('data-mantine-color-scheme')).toBe(theme)
      await look(path)
    }
    found.push(...complaints)
    await context.close()
  }
  expect(found).toEqual([])
})
