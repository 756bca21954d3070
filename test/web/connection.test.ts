import { expect } from 'vitest'
import { axeFindings, logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }
const PAGE = '/settings/integrations/zoho/connection'

longTest('an operator sets up the webhook: address, one-time secret, test, first notice', async () => {
  const { url, zoho } = await startZinc()
  const { page, complaints } = await visit(await openBrowser(), { origin: url })
  await page.goto(`${PAGE}?tab=webhook`)
  await logIn(page, ADMIN)
  const card = page.getByRole('region', { name: 'Zoho webhook' })
  await card.getByText(`${url}/api/settings/integrations/zoho/webhook`, { exact: true }).waitFor()
  await card.getByText('Zoho cannot reach this URL').waitFor()
  expect(await card.getByRole('button', { name: 'Send test webhook' }).isDisabled()).toBe(true)

  await card.getByRole('button', { name: 'Create secret' }).click()
  await card.getByText('You will not be able to see it again').waitFor()
  await expect.poll(() => card.getByRole('button', { name: 'Send test webhook' }).isEnabled()).toBe(true)
  expect(await axeFindings(page)).toEqual([])
  const secret = (await card.getByRole('alert').locator('code').textContent()) ?? ''
  expect(secret.length).toBeGreaterThanOrEqual(40)
  await card.getByRole('button', { name: 'Done', exact: true }).click()
  await card.getByText(`Secret is set, ends in ${secret.slice(-4)}`).waitFor()
  expect(await page.content()).not.toContain(secret)

  await card.getByRole('button', { name: 'Send test webhook' }).click()
  await card.getByText('Received and accepted').waitFor()
  await expect.poll(() => card.textContent()).toContain('Itemstest')
  const [item] = zoho.items()
  await zoho.webhooks.send({ url: `${url}/api/settings/integrations/zoho/webhook`, secret }, [item!.item_id])
  // The card looks again by itself.
  await card.getByText(item!.item_id, { exact: true }).waitFor()

  // A new one is asked about first, since the old one is refused from then on.
  await card.getByRole('button', { name: 'Replace secret' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Replace secret' }).click()
  await card.getByRole('button', { name: 'Done', exact: true }).click()
  await zoho.webhooks.send({ url: `${url}/api/settings/integrations/zoho/webhook`, secret }, [item!.item_id])
  await expect.poll(() => card.textContent(), { timeout: 15_000 }).toMatch(/Last rejected.*1 in total/)
  expect(complaints).toEqual([])
})

longTest("an admin's link leads the owner of the Zoho account to the consent once, without a login", async () => {
  const { url } = await startZinc({ environment: { ZOHO_REFRESH_TOKEN: '' } })
  const browser = await openBrowser()
  const admin = await visit(browser, { origin: url })
  await admin.page.goto(PAGE)
  await logIn(admin.page, ADMIN)
  await admin.page.getByRole('button', { name: 'Send link to Zoho account owner' }).click()
  const dialog = admin.page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Create link' }).click()
  const link = (await dialog.locator('code').textContent()) ?? ''
  expect(link).toContain(`${url}/settings/reconnect#`)
  expect(await axeFindings(admin.page)).toEqual([])
  await dialog.getByText(/A link has been created and is valid until/).waitFor()
  expect(await dialog.getByRole('link', { name: 'Write email' }).getAttribute('href')).toContain(encodeURIComponent(link))

  const owner = await visit(browser, { origin: url, language: 'ar' })
  await owner.page.goto(link)
  await owner.page.getByRole('heading', { name: 'وصل zinc بـ Zoho' }).waitFor()
  // What the link holds is out of the address bar at once.
  await expect.poll(() => owner.page.url()).toBe(`${url}/settings/reconnect`)
  await owner.page.getByRole('button', { name: 'تابع إلى Zoho' }).click()
  await owner.page.locator('#accept').click()
  await owner.page.getByText('شكرًا').waitFor()

  await admin.page.goto(PAGE)
  await admin.page.getByRole('region', { name: 'Status', exact: true }).getByText('Connected').waitFor()
  const again = await visit(browser, { origin: url, language: 'ar' })
  await again.page.goto(link)
  await again.page.getByRole('button', { name: 'تابع إلى Zoho' }).click()
  await again.page.getByRole('alert').getByText('consent_link_expired').waitFor()
  await again.page.getByRole('alert').getByText('استُعمل هذا الرابط').waitFor()
  expect([...admin.complaints, ...owner.complaints, ...again.complaints]).toEqual([])
})

longTest("a self client's code connects, and a refused one is explained", async () => {
  const { url, zoho } = await startZinc({ environment: { ZOHO_REFRESH_TOKEN: '' } })
  const { page, context, complaints } = await visit(await openBrowser(), { origin: url })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto(`${PAGE}?tab=credentials`)
  await logIn(page, ADMIN)
  const card = page.getByRole('region', { name: 'Connect with a self client' })
  await page.clock.install()
  await card.getByRole('button', { name: 'Copy Scopes' }).click()
  expect(await page.evaluate<string>('navigator.clipboard.readText()')).toContain('ZohoInventory.items.READ,')
  await card.getByText(/valid for another (10|9)m/).waitFor()
  await page.clock.fastForward('04:30')
  await card.getByText(/valid for another 5m/).waitFor()
  await page.clock.fastForward('06:00')
  await card.getByText('This code has expired').waitFor()
  await page.clock.resume()

  await card.getByLabel('Code').fill('1000.made.up')
  await card.getByRole('button', { name: 'Connect with code' }).click()
  await card.getByRole('alert').getByText('invalid_code').waitFor()
  expect(await card.getByRole('alert').textContent()).toContain('Generate a new code')
  await card.getByLabel('Code').fill(zoho.accounts.issueCode())
  await card.getByRole('button', { name: 'Connect with code' }).click()
  await page.getByRole('status', { name: 'Connection status' }).getByText('Connected', { exact: true }).waitFor()
  expect(await card.getByLabel('Code').inputValue()).toBe('')

  await page.getByLabel('Data center').selectOption('eu')
  await page.getByText('Signs in at accounts.zoho.eu').waitFor()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('No changes to save').waitFor()
  await page.reload()
  await settled(page)
  expect(await page.getByLabel('Data center').inputValue()).toBe('eu')
  expect(complaints).toEqual([])
})
