import { expect } from 'vitest'
import { axeFindings, logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }

longTest("an admin chooses a module's content, resets its cursor and sets the picture reserve", async () => {
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
  await page.getByText('It counts from the next sync on').first().waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('region', { name: 'Zoho Books' }).getByText('9 of 10 modules, without line items').waitFor()
  expect((await request(zinc, 'GET', '/modules/books')).body.data.selection).toMatchObject({ line_items: false })

  await page.getByRole('button', { name: 'Options: Zoho Inventory' }).click()
  // Never ahead: what lies between would be lost.
  await dialog.getByLabel('Read again from').fill('2099-01-01T00:00')
  await dialog.getByRole('button', { name: 'Move back' }).click()
  await dialog.getByRole('alert').getByText('cursor_ahead').waitFor()
  await dialog.getByLabel('Read again from').fill('2020-01-01T00:00')
  await dialog.getByRole('button', { name: 'Move back' }).click()
  await page.getByText('The next sync reads from there').waitFor()
  await dialog.getByRole('button', { name: 'Read everything again' }).click()
  await page.getByRole('dialog', { name: 'Read everything again?' }).getByRole('button', { name: 'Read everything again' }).click()
  await dialog.getByText('nothing yet: the next sync reads everything').first().waitFor()
  expect((await request(zinc, 'GET', '/modules/inventory')).body.data.cursor).toBeNull()

  await page.goto('/settings/integrations/zoho')
  await page.getByText('Pictures leave 5% of the day to items: 50 calls').waitFor()
  await page.getByRole('button', { name: 'Change', exact: true }).click()
  await page.getByLabel('Kept for items').selectOption({ label: '20%' })
  await page.getByText('Pictures leave 20% of the day to items: 200 calls').waitFor()
  expect(complaints).toEqual([])
})

longTest('a mapping is tried on a real item before it counts, saved, and reset', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/integrations/zoho/modules')
  await logIn(page, ADMIN)
  const mapping = page.getByRole('region', { name: 'Mapping' })
  await mapping.getByLabel('Zoho field: description').selectOption('sku')
  await mapping.getByLabel('Who owns it: selling_price').selectOption({ label: 'ERP: a sync never touches it' })
  await expect.poll(() => mapping.getByText('changed', { exact: true }).count()).toBe(2)
  const item = zinc.zoho.items().find(({ sku }) => sku !== '')!
  await mapping.getByLabel('SKU, or empty for the item that changed last').fill(item.sku)
  await mapping.getByRole('button', { name: 'Try on a real item' }).click()
  const tried = mapping.getByRole('table', { name: 'Try on a real item' })
  await tried.getByRole('row').filter({ hasText: 'description' }).getByText(item.sku).first().waitFor()

  await mapping.getByRole('button', { name: 'Save mapping' }).click()
  await page.getByText('Mapping saved').first().waitFor()
  await page.reload()
  await settled(page)
  await expect.poll(() => mapping.getByLabel('Zoho field: description').inputValue()).toBe('sku')
  await expect.poll(() => mapping.getByLabel('Who owns it: selling_price').inputValue()).toBe('erp')

  await mapping.getByRole('button', { name: 'Reset to default' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reset to default' }).click()
  await expect.poll(() => mapping.getByLabel('Who owns it: selling_price').inputValue()).toBe('zoho')
  expect(complaints).toEqual([])
})
