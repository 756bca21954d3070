import { expect } from 'vitest'
import { logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }
const H = '/settings/integrations/zoho'

const send = ({ call }: TestZinc, path: string, body: object) =>
  call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

/** Buttons that look, open and arrange; every other one acts. */
const HARMLESS =
  /^(Account and display|Open menu|Copy .*|Show.*|Hide|All|New|Changed|Removed|Grid|List|Previous|Next|Close|Load more|Show more|Download CSV)$/

longTest("a viewer's pages have no control that acts, and the server refuses the actions", async () => {
  const zinc = await startZinc({ synced: true })
  const { id: run_id } = await zinc.services.db.run.findFirstOrThrow()
  const store = (await (await send(zinc, '/api/v1/stores', { code: 'BGW-01', name: 'Karrada' })).json()) as { data: { id: string } }
  await send(zinc, '/api/v1/users', { username: 'omar', password: 'a-password-of-theirs', role: 'viewer' })
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto(H)
  await logIn(page, { username: 'omar', password: 'a-password-of-theirs' })

  const names = await page.getByRole('navigation').getByRole('link').allTextContents()
  expect(names).toEqual(['Overview', 'Runs', 'Failures', 'Products', 'Media', 'Stores', 'API keys'])
  for (const path of [H, `${H}/runs`, `${H}/runs/${run_id}`, `${H}/failures`, '/settings/stores', `/settings/stores/${store.data.id}`]) {
    await page.goto(path)
    await settled(page)
    const buttons = await page
      .getByRole('main')
      .getByRole('button')
      .evaluateAll((all: { ariaLabel: string | null; textContent: string }[]) =>
        all.map((one) => (one.ariaLabel ?? one.textContent).trim()),
      )
    expect([path, buttons.filter((name) => !HARMLESS.test(name))]).toEqual([path, []])
    expect([path, await page.getByRole('alert').count()]).toEqual([path, 0])
    expect([path, await page.getByRole('switch').count()]).toEqual([path, 0])
  }
  // Who types an address that is not theirs hears which role it takes.
  await page.goto(`${H}/connection`)
  await page.getByRole('alert').getByText('forbidden').waitFor()
  for (const [method, path] of [
    ['POST', '/api/settings/integrations/zoho/sync/item/execute'],
    ['PATCH', '/api/settings/integrations/zoho/modules/crm'],
    ['POST', `/api/v1/sync/stores/${store.data.id}/resync`],
    ['PATCH', `/api/v1/stores/${store.data.id}`],
    ['PUT', '/api/settings/integrations/zoho/quota'],
  ] as const)
    expect([
      path,
      await page.evaluate<number>(
        `fetch('${path}', { method: '${method}', headers: { 'content-type': 'application/json' }, body: '{}' }).then(({ status }) => status)`,
      ),
    ]).toEqual([path, 403])
  expect(complaints).toEqual([])
})

longTest("a new password ends the user's sessions and only the new one logs in", async () => {
  const zinc = await startZinc()
  await send(zinc, '/api/v1/users', { username: 'layla', password: 'a-password-of-theirs', role: 'operator' })
  const browser = await openBrowser()
  const layla = await visit(browser, { origin: zinc.url })
  await layla.page.goto(H)
  await logIn(layla.page, { username: 'layla', password: 'a-password-of-theirs' })
  const { page, complaints } = await visit(browser, { origin: zinc.url })
  await page.goto('/settings/users')
  await logIn(page, ADMIN)
  await page.getByRole('button', { name: 'Edit: layla' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('New password', { exact: true }).fill('another-password')
  await dialog.getByRole('radio', { name: 'Viewer' }).check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('layla was updated').waitFor()

  // The page asks every few seconds anyway, so that no link is sure to be there still.
  await layla.page.goto(`${H}/runs`)
  await layla.page.getByRole('heading', { name: 'Log in to zinc' }).waitFor()
  await layla.page.getByLabel('Username').fill('layla')
  await layla.page.getByLabel('Password', { exact: true }).fill('a-password-of-theirs')
  await layla.page.getByRole('button', { name: 'Log in' }).click()
  await layla.page.getByRole('alert').getByText('Wrong username or password').waitFor()
  await logIn(layla.page, { username: 'layla', password: 'another-password' })
  await layla.page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor()
  expect(await layla.page.getByRole('button', { name: 'Sync now' }).count()).toBe(0)

  // A server that cannot look just now has not ended anybody's login.
  await layla.context.clearCookies({ name: 'zinc_session' })
  await zinc.services.db.$executeRaw`alter table refresh_token rename to elsewhere`
  await layla.page.goto('/settings/stores')
  await layla.page.getByRole('alert').getByText('internal').waitFor()
  expect(await layla.page.getByRole('heading', { name: 'Log in to zinc' }).count()).toBe(0)
  await zinc.services.db.$executeRaw`alter table elsewhere rename to refresh_token`
  await layla.page.getByRole('button', { name: 'Try again' }).click()
  await layla.page.getByRole('heading', { level: 1, name: 'Stores' }).waitFor()
  expect([...complaints, ...layla.complaints]).toEqual([])
})
