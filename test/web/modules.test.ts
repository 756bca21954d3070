import { expect } from 'vitest'
import { axeFindings, logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }

longTest("an admin chooses a module's content, resets its cursor and sets the image reserve", async () => {
  const zinc = await startZinc({
    limits: { perMinute: null, perDay: 1_000, inFlight: null, blockMs: 60_000 },
    environment: { ZOHO_REQUESTS_PER_MINUTE: '3000' },
  })
  await zinc.sync('?sync_images=true')
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/integrations/zoho/modules')
  await logIn(page, ADMIN)

  await page.getByRole('button', { name: 'Options: Zoho Books' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Bills', { exact: true }).waitFor()
  expect(await axeFindings(page)).toEqual([])
  await dialog.getByLabel('Bills', { exact: true }).uncheck()
  await dialog.getByLabel('Line items').uncheck()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('It applies from the next sync').first().waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('region', { name: 'Zoho Books' }).getByText('9 of 10 modules, without line items').waitFor()
  expect((await request(zinc, 'GET', '/modules/books')).body.data.selection).toMatchObject({ line_items: false })

  await page.getByRole('button', { name: 'Options: Zoho Inventory' }).click()
  // Never ahead: what lies between would be lost.
  await dialog.getByLabel('Re-sync from').fill('2099-01-01T00:00')
  await dialog.getByRole('button', { name: 'Re-sync from this date' }).click()
  await dialog.getByRole('alert').getByText('cursor_ahead').waitFor()
  await dialog.getByLabel('Re-sync from').fill('2020-01-01T00:00')
  await dialog.getByRole('button', { name: 'Re-sync from this date' }).click()
  await page.getByText('The next sync starts from there').waitFor()
  await dialog.getByRole('button', { name: 'Re-sync everything' }).click()
  await page.getByRole('dialog', { name: 'Re-sync everything?' }).getByRole('button', { name: 'Re-sync everything' }).click()
  await dialog.getByText('nothing yet: the next sync reads everything').first().waitFor()
  expect((await request(zinc, 'GET', '/modules/inventory')).body.data.cursor).toBeNull()

  await page.goto('/settings/integrations/zoho')
  await page.getByText('5% of daily calls (50) reserved for items').waitFor()
  await page.getByRole('button', { name: 'Edit: Reserved for items' }).click()
  await page.getByLabel('Reserved for items').selectOption({ label: '20%' })
  await page.getByText('20% of daily calls (200) reserved for items').waitFor()
  expect(complaints).toEqual([])
})

longTest('a mapping is tried on a real item before it counts, saved, and reset', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/integrations/zoho/modules?tab=mapping')
  await logIn(page, ADMIN)
  const mapping = page.getByRole('region', { name: 'Field mapping' })
  await mapping.getByLabel('Zoho field: Description').selectOption('sku')
  await mapping.getByLabel('Source of truth: Selling price').selectOption({ label: 'ERP: never changed by a sync' })
  await expect.poll(() => mapping.getByText('changed', { exact: true }).count()).toBe(2)
  const item = zinc.zoho.items().find(({ sku }) => sku !== '')!
  await mapping.getByLabel('SKU, or empty for the most recently changed item').fill(item.sku)
  await mapping.getByRole('button', { name: 'Preview', exact: true }).click()
  const tried = mapping.getByRole('table', { name: 'Preview with a real item' })
  await tried.getByRole('row').filter({ hasText: 'description' }).getByText(item.sku).first().waitFor()

  await mapping.getByRole('button', { name: 'Save mapping' }).click()
  await page.getByText('Mapping saved').first().waitFor()
  await page.reload()
  await settled(page)
  await expect.poll(() => mapping.getByLabel('Zoho field: Description').inputValue()).toBe('sku')
  await expect.poll(() => mapping.getByLabel('Source of truth: Selling price').inputValue()).toBe('erp')

  await mapping.getByRole('button', { name: 'Reset to default' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reset to default' }).click()
  await expect.poll(() => mapping.getByLabel('Source of truth: Selling price').inputValue()).toBe('zoho')
  expect(complaints).toEqual([])
})
