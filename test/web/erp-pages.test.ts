import { expect } from 'vitest'
import { axeFindings, type Language, logIn, openBrowser, settled, sidewaysPixels, type Theme, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startReceiver } from '../helpers/webhook-receiver.ts'
import { startZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }
const PAIRS: [Language, Theme][] = [
  ['en', 'light'],
  ['ar', 'dark'],
]

longTest('an API key is made, shown once, replaced and revoked on the page', async () => {
  const zinc = await startZinc()
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/api-keys')
  await logIn(page, ADMIN)
  const use = async (key: string) => (await fetch(`${zinc.url}/api/products`, { headers: { authorization: `Bearer ${key}` } })).status
  const shownKey = async () => {
    const key = (await page
      .getByRole('dialog')
      .locator('code', { hasText: /^zk_\w{49}$/ })
      .textContent())!
    await page.getByRole('button', { name: 'Done' }).click()
    return key
  }
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByLabel('Name').fill('erp')
  await page.getByLabel('products:read').check()
  await page.getByRole('button', { name: 'Create key' }).click()
  const first = await shownKey()
  expect(await use(first)).toBe(200)
  expect(await page.content()).not.toContain(first)

  await page.getByRole('button', { name: 'Replace: erp' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click()
  const second = await shownKey()
  expect([await use(first), await use(second)]).toEqual([200, 200])

  await page.getByRole('button', { name: 'Revoke: erp' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByText('No API keys yet').waitFor()
  expect([await use(first), await use(second)]).toEqual([401, 401])
  expect(complaints).toEqual([])
})

longTest.each(PAIRS)('webhooks and keys in %s and %s have no axe finding or overflow', async (language, theme) => {
  const receiver = await startReceiver(() => 500)
  const zinc = await startZinc({ environment: { WEBHOOK_URL_ALLOWLIST: receiver.host, WEBHOOK_RETRY_SECONDS: '3600' } })
  try {
    const by = { actor: 'test', request_id: null, ip: null }
    const { id: user_id } = await zinc.services.db.appUser.findFirstOrThrow()
    await zinc.services.apiKeys.create({ name: 'erp', scopes: ['products:read'], days: 30 }, { user_id, role: 'admin' }, by)
    const { row } = await zinc.services.webhooks.create({ url: receiver.url, events: ['*'], description: 'ERP', enabled: true }, by)
    await zinc.services.webhooks.test(row.id, by)
    const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url, language, theme })
    await page.goto('/settings/webhooks')
    await logIn(page, ADMIN)
    await settled(page)
    await page.getByRole('button', { name: /^(Deliveries|الرسائل المرسلة)$/ }).click()
    await page.getByText('http_500').waitFor()
    for (const path of [null, '/settings/api-keys']) {
      if (path !== null) await page.goto(path)
      for (const width of [1440, 360]) {
        await page.setViewportSize({ width, height: 900 })
        await settled(page)
        expect([path, width, await axeFindings(page), await sidewaysPixels(page)]).toEqual([path, width, [], 0])
      }
    }
    expect(complaints).toEqual([])
  } finally {
    await receiver.close()
  }
})
