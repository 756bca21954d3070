import { expect } from 'vitest'
import { axeFindings, logIn, openBrowser, settled, sidewaysPixels, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { type Row, startPulls } from '../pulls/helpers.ts'

longTest('a pull report shows each difference once, in Arabic and on a small screen', async () => {
  const { zinc, pull, check, newest, tamper, rows } = await startPulls()
  await pull({ modules: ['contacts'] })
  const first = await newest()
  await pull({ modules: ['contacts', 'customerpayments'], full: true })
  const session = await newest()
  const gone = String((await rows(session, 'contacts.json'))[3]!.contact_id)
  await tamper(session, 'contacts.json', (all) => all.filter((it) => it.contact_id !== gone))
  await tamper(session, 'customerpayments.json', (all) => all.map((it, n): Row => (n === 2 ? { ...it, amount: 123456.78 } : it)))
  await check({ session })

  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url, language: 'ar', theme: 'dark', width: 360 })
  await page.goto(`/settings/pulls/${session}`)
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })
  await settled(page)
  await page.getByText('وحدتان لا تطابقان.').waitFor()
  const open = page.locator('details[open]')
  expect(await open.count()).toBe(2)
  const [contacts, payments] = await open.allTextContents()
  expect(contacts).toMatch(new RegExp(`ناقص: 1.*${gone}`))
  expect(contacts).not.toContain('e.g.')
  expect(payments).toContain('المجاميع لكل عملة')
  expect(payments).not.toContain('in Zoho')
  // The folder stands once above the files.
  const files = page.getByRole('table', { name: 'الملفات' })
  await files.getByText('contacts.json', { exact: true }).waitFor()
  expect(await page.getByText(/^raw_json\/[\d_-]+\/$/).count()).toBe(1)
  expect([...(await axeFindings(page)), await sidewaysPixels(page)]).toEqual([0])

  await page.goto('/settings/pulls/compare')
  await settled(page)
  const names = await page.getByLabel('الأولى').locator('option').allTextContents()
  expect(new Set(names).size).toBe(3)
  for (const name of [first, session].map((it) => it.slice(-2))) expect(names.some((it) => it.includes(`:${name} `))).toBe(true)
  expect(complaints).toEqual([])
})
