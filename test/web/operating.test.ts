import { afterEach, beforeAll, expect, test } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { login, openZinc, type TestZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }
/** A tenth counts as good on the web; this leaves room for a line of text only. */
const MOVED_MAX = 0.02
let zinc: TestZinc

beforeAll(async () => {
  const items = createSeed({ count: 30 })
  // Two pairs of twins, for the inbox of failures.
  for (const [one, other] of [
    [5, 6],
    [8, 9],
  ] as const)
    items[one]!.sku = items[other]!.sku
  const opened = await openZinc({ items })
  zinc = opened
  await zinc.sync('?sync_images=true')
  return opened.end
})

const complaintsOf: string[][] = []
afterEach(() => expect(complaintsOf.splice(0).flat()).toEqual([]))

async function open(path: string, person = ADMIN, more: { width?: number } = {}) {
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url, ...more })
  complaintsOf.push(complaints)
  await page.goto(path)
  await logIn(page, person)
  await settled(page)
  return page
}

longTest('skip link, navigation, dialogs and the account menu work by keyboard alone', async () => {
  const page = await open('/settings/integrations/zoho')
  await page.reload()
  await settled(page)
  await page.keyboard.press('Tab')
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content')
  await expect.poll(() => page.evaluate('document.activeElement.getBoundingClientRect().top')).toBeGreaterThan(0)
  await page.keyboard.press('Enter')
  expect(await page.evaluate('document.activeElement.id')).toBe('content')
  await page.keyboard.press('Tab')
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Sync now')
  expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")).toBe(true)

  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.getByRole('button', { name: 'Start', exact: true }).waitFor()
  for (let stop = 0; stop < 12; stop++) {
    await page.keyboard.press('Tab')
    expect(await page.evaluate("document.activeElement.closest('[role=dialog]') !== null")).toBe(true)
  }
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Sync now')

  // A page that one is led to takes the focus at its heading, so that a reader begins there.
  await page.getByRole('link', { name: 'Runs', exact: true }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor()
  await expect.poll(() => page.evaluate('document.activeElement.tagName')).toBe('H1')

  await page.getByRole('button', { name: 'Account and display' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'العربية' }).waitFor()
  await page.getByRole('button', { name: 'العربية' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'التشغيلات' }).waitFor()
  expect(await page.locator('html').getAttribute('dir')).toBe('rtl')
})

longTest('a module is switched off and back by undo, and a schedule previews and guards its changes', async () => {
  const page = await open('/settings/integrations/zoho/modules')
  const crm = page.getByRole('switch', { name: 'Sync Zoho CRM' })
  expect(await crm.isChecked()).toBe(true)
  await crm.focus()
  await page.keyboard.press('Space')
  await page.getByText('Zoho CRM is off').waitFor()
  await expect.poll(() => crm.isChecked()).toBe(false)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(() => crm.isChecked()).toBe(true)

  const inventory = page.getByRole('region', { name: 'Zoho Inventory' })
  await inventory.getByLabel('Incremental sync', { exact: true }).selectOption({ label: 'Custom (cron)' })
  const cron = inventory.getByLabel('Incremental sync: Cron expression')
  await cron.fill('61 * * * *')
  await expect.poll(() => inventory.textContent()).not.toContain('Next runs:')
  await cron.fill('*/15 * * * *')
  await inventory.getByText(/Next runs: .*\d\d:\d\d · .*\d\d:\d\d · .*\d\d:\d\d/).waitFor()

  let asked = ''
  page.once('dialog', (dialog) => {
    asked = dialog.message()
    void dialog.dismiss()
  })
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await expect.poll(() => asked).toContain('unsaved changes')
  expect(new URL(page.url()).pathname).toMatch(/\/modules$/)

  await inventory.getByRole('button', { name: 'Save schedule' }).click()
  await page.getByText('Schedule saved').waitFor()
  await page.reload()
  await settled(page)
  expect(await inventory.getByLabel('Incremental sync', { exact: true }).inputValue()).toBe('*/15 * * * *')
  await expect.poll(() => inventory.textContent()).toMatch(/Next runin \d+/)
})

test('failures are grouped by cause with a remedy and leave the inbox when dismissed', async () => {
  const page = await open('/settings/integrations/zoho/failures')
  const conflict = page.getByRole('article').filter({ hasText: 'sku_conflict' })
  await conflict.waitFor()
  expect(await conflict.textContent()).toContain('What to do')
  await conflict.getByRole('button', { name: /Show/ }).click()
  const boxes = conflict.getByRole('checkbox')
  await expect.poll(() => boxes.count()).toBeGreaterThan(1)
  const before = await boxes.count()
  await boxes.first().check()
  await conflict.getByRole('button', { name: 'Dismiss', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Note (optional)').fill('Known twins')
  await dialog.getByRole('button', { name: 'Dismiss', exact: true }).click()
  await page.getByText('1 failure dismissed').waitFor()
  await expect.poll(() => boxes.count()).toBe(before - 1)

  await page.getByRole('button', { name: 'Account and display' }).click()
  await page.getByRole('button', { name: 'العربية' }).click()
  const [one] = await zinc.services.db.failure.findMany({ where: { code: 'sku_conflict', dismissed_at: null } })
  await expect
    .poll(async () => (await conflict.getByRole('list').textContent())?.replace(/[\u2068\u2069]/g, ''))
    .toContain(`تشترك في SKU واحد: ${one!.sku}. تبقى كلها`)
})

longTest('an admin adds users who see only what they may do; the last admin stays', async () => {
  const page = await open('/settings/users')
  for (const [username, role] of [
    ['layla', 'Operator'],
    ['omar', 'Viewer'],
  ] as const) {
    await page.getByRole('button', { name: 'Add user' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Username').fill(username)
    await dialog.getByLabel('Password', { exact: true }).fill('a-password-of-theirs')
    await dialog.getByRole('radio', { name: role }).check()
    await dialog.getByRole('button', { name: 'Add user' }).click()
    await page.getByText(`${username} was added`).waitFor()
  }
  // Nobody is offered to remove themselves, or the last admin.
  expect(await page.getByRole('button', { name: 'Remove: admin' }).isDisabled()).toBe(true)

  const layla = await open('/settings/integrations/zoho/connection', { username: 'layla', password: 'a-password-of-theirs' })
  await layla.getByRole('button', { name: 'Test connection' }).waitFor()
  await layla.getByRole('tab', { name: 'Credentials' }).click()
  await layla.getByRole('heading', { name: 'Organization' }).waitFor()
  expect(await layla.getByRole('heading', { name: 'Credentials' }).count()).toBe(0)
  expect(await layla.getByRole('link', { name: 'Users' }).count()).toBe(0)
  await layla.getByRole('link', { name: 'Overview', exact: true }).click()
  await layla.getByRole('button', { name: 'Sync now' }).first().waitFor()

  const omar = await open('/settings/integrations/zoho', { username: 'omar', password: 'a-password-of-theirs' })
  await omar.getByRole('link', { name: 'Runs', exact: true }).waitFor()
  expect(await omar.getByRole('button', { name: 'Sync now' }).count()).toBe(0)
  for (const page of ['Users', 'Notifications', 'Call log', 'Audit log'])
    expect(await omar.getByRole('link', { name: page }).count()).toBe(0)

  // Removed while logged in: the next answer ends the session, and the page says so by asking for a
  // login.
  await page.getByRole('button', { name: 'Remove: omar' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('omar was removed').waitFor()
  // The page asks every few seconds anyway, so that no link is sure to be there still.
  await omar.reload()
  await omar.getByRole('heading', { name: 'Log in to zinc' }).waitFor()
})

longTest('an answer that is no JSON, and no answer at all, become cards with what to do and a code to copy', async () => {
  const page = await open('/settings/integrations/zoho/runs')
  const token = await login(zinc.url)
  expect(token).not.toBe('')
  const { run_id } = await zinc.sync()
  await page.route('**/sync/runs/*', (route) =>
    route.fulfill({ status: 403, contentType: 'text/html', body: '<h1>Blocked by a proxy</h1>' }),
  )
  await page.goto(`/settings/integrations/zoho/runs/${run_id}`)
  const card = page.getByRole('alert').filter({ hasText: 'unreadable_response' })
  await card.waitFor()
  expect(await card.textContent()).toContain('What to do')
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await card.getByRole('button', { name: 'Copy for support' }).click()
  const copied = await page.evaluate<string>('navigator.clipboard.readText()')
  expect(copied).toContain('code: unreadable_response')
  expect(copied).toMatch(/status: 403/)
  await page.unroute('**/sync/runs/*')
  await card.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('Completed', { exact: true }).waitFor()
})

longTest('nothing moves under the reader while a page comes: skeletons have the size of what replaces them', async () => {
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  complaintsOf.push(complaints)
  await page.addInitScript(`
    window.moved = 0
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.moved += entry.value }).observe({ type: 'layout-shift', buffered: true })
  `)
  await page.goto('/settings/integrations/zoho')
  await logIn(page, ADMIN)
  for (const path of ['integrations/zoho', 'integrations/zoho/runs', 'integrations/zoho/modules', 'products']) {
    await page.goto(`/settings/${path}`)
    await settled(page)
    await page.waitForLoadState('networkidle')
    expect(await page.evaluate<number>('moved'), path).toBeLessThan(MOVED_MAX)
  }
})

longTest('a mail server is entered in fields, stored as one URL and never shown again', async () => {
  const page = await open('/settings/integrations/zoho/notifications')
  const server = page.getByRole('group', { name: 'Mail server' })
  await server.getByLabel('Host').fill('smtp.example.com')
  await server.getByLabel('Encryption').selectOption('TLS')
  await server.getByLabel('Username').fill('shop@example.com')
  await server.getByLabel('Password', { exact: true }).fill('p@ss/word')
  const sent = page.waitForRequest((request) => request.method() === 'PUT')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  expect((await sent).postDataJSON()).toEqual({ smtp_url: 'smtps://shop%40example.com:p%40ss%2Fword@smtp.example.com:465' })
  await server.getByText('Set, and stored encrypted.').waitFor()
  expect(await page.content()).not.toContain('p@ss/word')
  await server.getByRole('button', { name: 'Replace' }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await server.getByLabel('Host').waitFor()
  const stored = async () =>
    ((await (await zinc.call('/api/settings/integrations/zoho/notifications')).json()) as { data: { smtp_url: string | null } }).data
      .smtp_url
  await expect.poll(stored).toBeNull()
})
