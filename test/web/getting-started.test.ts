import { expect, test } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { FAKE_CREDENTIALS } from '../../src/zoho-simulator/simulator.ts'
import { logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { smallImage } from '../helpers/images.ts'
import { startZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }
const ITEMS = 12
const NOTHING = { ZOHO_CLIENT_ID: '', ZOHO_CLIENT_SECRET: '', ZOHO_REFRESH_TOKEN: '', ZOHO_ORGANIZATION_ID: '' }

test('a new operator connects to Zoho and sees the first sync finish, without any secret in reach', async () => {
  const { url, zoho } = await startZinc({ environment: NOTHING, items: createSeed({ count: ITEMS }), imageOf: smallImage })
  const browser = await openBrowser()
  const { page, context, complaints } = await visit(browser, { origin: url })
  const responses: Promise<string>[] = []
  page.on('response', (response) => {
    // The login's own answer carries tokens for scripts that ask without a browser; the page drops
    // it unread.
    if (response.url().includes('/api/') && !/auth\/(login|refresh)|\/events|\/oauth\//.test(response.url()))
      responses.push(response.text().catch(() => ''))
  })

  await page.goto('/')
  await page.waitForURL('**/settings/integrations/zoho')
  await page.getByLabel('Username').fill('admin')
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await page.getByRole('button', { name: 'Log in' }).click()
  await expect.poll(() => page.getByRole('alert').textContent()).toBe('Wrong username or password')
  await logIn(page, ADMIN)

  // The overview says what comes first.
  await page.getByRole('heading', { name: 'Get started' }).waitFor()
  await page.getByRole('link', { name: 'Set up connection' }).click()
  await page.getByRole('heading', { level: 1, name: 'Connection' }).waitFor()

  // A wrong secret is named after the consent.
  await page.getByLabel('Client ID').fill(FAKE_CREDENTIALS.clientId)
  await page.getByLabel('Client secret').fill('a-wrong-secret')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Set, ends in cret').waitFor()
  const consent = async () => {
    await page.getByRole('link', { name: /^Connect to Zoho$|^Reconnect$/ }).click()
    await page.locator('#accept').click()
    await page.waitForURL('**/settings/integrations/zoho?consent=*')
    await settled(page)
  }
  await consent()
  await page.getByText('Zoho did not complete the connection').waitFor()
  await page.getByText('invalid_client_secret').first().waitFor()

  await page.goto('/settings/integrations/zoho/connection?tab=credentials')
  await page.getByRole('button', { name: 'Replace: Client secret' }).click()
  await page.getByLabel('Client secret').fill(FAKE_CREDENTIALS.clientSecret)
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('No changes to save').waitFor()
  await consent()
  await page.getByText('Connected to Zoho', { exact: true }).waitFor()

  await page.getByRole('link', { name: 'Connection', exact: true }).click()
  await page.getByRole('button', { name: 'Test connection' }).click()
  await page.getByText('All checks passed.').waitFor()

  // Plan, start, watch.
  await page.getByRole('link', { name: 'Overview', exact: true }).click()
  await page.getByRole('button', { name: 'Sync now' }).first().click()
  await page.getByRole('button', { name: 'Preview changes' }).click()
  const plan = page.getByRole('region', { name: 'Preview' })
  await plan.waitFor()
  expect(await plan.textContent()).toMatch(new RegExp(`New\\s*${ITEMS}`))
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.waitForURL('**/runs/*')
  await page.getByText('Completed', { exact: true }).waitFor()
  await expect.poll(() => page.getByRole('main').textContent()).toMatch(new RegExp(`New\\s*${ITEMS}`))
  const images = zoho.items().filter((item) => item.image_document_id !== '').length
  await expect.poll(() => page.getByRole('main').textContent()).toMatch(new RegExp(`Images downloaded\\s*${images}`))

  await page.getByRole('link', { name: 'Overview', exact: true }).click()
  const tile = page.getByRole('link', { name: /Without image/ })
  expect(await tile.textContent()).toContain(String(ITEMS - images))

  expect(await page.evaluate('document.cookie')).toBe('')
  const kept = await page.evaluate<Record<string, string>>('({ ...localStorage, ...sessionStorage })')
  expect(Object.keys(kept).sort()).toEqual(['zinc-color-scheme', 'zinc-language'])
  const all = (await Promise.all(responses)).join('\n')
  expect(all.length).toBeGreaterThan(1_000)
  for (const secret of [FAKE_CREDENTIALS.clientSecret, 'a-wrong-secret', '1000.fake-refresh', 'eyJ']) expect(all).not.toContain(secret)
  expect(complaints).toEqual([])

  // Logging out leaves nothing behind for the next person.
  await page.getByRole('button', { name: 'Account and display' }).click()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('heading', { name: 'Log in to zinc' }).waitFor()
  expect((await context.cookies()).filter(({ value }) => value !== '')).toEqual([])
})
