import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('an operator pulls, verifies and pins a session, and repairs one lost image', async () => {
  const zinc = await startZinc({ synced: true })
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/pulls')
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })
  await page.getByRole('button', { name: 'New pull' }).first().click()
  await page.getByRole('button', { name: 'None', exact: true }).click()
  await page.getByLabel('Items', { exact: true }).check()
  await page.getByRole('button', { name: 'Start pull' }).click()
  await page.waitForURL('**/zoho/runs/*')
  await page.getByText('Completed', { exact: true }).first().waitFor()

  await page.goto('/settings/pulls')
  await page.getByRole('table', { name: 'Sessions' }).getByRole('link').click()
  await settled(page)
  await page.getByRole('button', { name: 'Verify', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Verify against Zoho' }).click()
  await page.getByText('Everything matches.').waitFor()
  await page.getByText('Verified', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Pin', exact: true }).click()
  await page.getByRole('button', { name: 'Unpin' }).waitFor()
  expect(await page.getByRole('button', { name: 'Delete', exact: true }).isDisabled()).toBe(true)

  const [lost, also] = await zinc.services.db.blob.findMany({ take: 2, orderBy: { sha256: 'asc' } })
  for (const blob of [lost!, also!]) await rm(join(zinc.dataDir, 'images', 'originals', blob.sha256.slice(0, 2), blob.sha256))
  await page.goto('/settings/media?tab=integrity')
  await page.getByRole('button', { name: 'Check all files' }).click()
  const findings = page.getByRole('table', { name: 'Integrity' }).getByRole('row').filter({ hasText: 'File missing' })
  await findings.nth(1).waitFor()
  await findings
    .filter({ hasText: lost!.sha256.slice(0, 12) })
    .getByRole('button', { name: 'Repair' })
    .click()
  await findings.nth(1).waitFor({ state: 'detached' })
  expect(await findings.textContent()).toContain(also!.sha256.slice(0, 12))
  expect(complaints).toEqual([])
})

/** A repaired record stands at the end of its file. */
const byId = (json: string) => (JSON.parse(json) as { item_id: string }[]).sort((a, b) => a.item_id.localeCompare(b.item_id))

longTest('an operator plans a pull, compares sessions, repairs, downloads and deletes one', async () => {
  const zinc = await startZinc()
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/pulls')
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })
  async function pullItems(what: 'Incremental' | 'Full'): Promise<void> {
    await page.goto('/settings/pulls')
    await page.getByRole('button', { name: 'New pull' }).first().click()
    await page.getByRole('button', { name: 'None', exact: true }).click()
    await page.getByLabel('Items', { exact: true }).check()
    await page.getByLabel(what, { exact: true }).check()
    await page.getByRole('button', { name: 'Estimate' }).click()
    const plan = page.getByRole('region', { name: 'Estimate' })
    expect(await plan.getByRole('row').filter({ hasText: 'Items' }).textContent()).toMatch(/Items.*\d/)
    await plan.getByText('Takes about').waitFor()
    // Another choice is another pull: its estimate is not known yet.
    await page.getByLabel('Contacts', { exact: true }).check()
    await plan.waitFor({ state: 'detached' })
    await page.getByLabel('Contacts', { exact: true }).uncheck()
    await page.getByRole('button', { name: 'Start pull' }).click()
    await page.waitForURL('**/zoho/runs/*')
    await page.getByText('Completed', { exact: true }).first().waitFor()
  }
  await pullItems('Incremental')
  const [first] = zinc.zoho.items()
  zinc.zoho.edit(first!.item_id, { rate: 123.45 })
  await pullItems('Full')

  await page.goto('/settings/pulls')
  await page.getByRole('link', { name: 'Compare sessions' }).click()
  const [newer, older] = await zinc.services.pulls.sessions.list()
  await page.getByLabel('First').selectOption(older!.session)
  await page.getByLabel('Second').selectOption(newer!.session)
  const compared = page.getByRole('table', { name: 'Modules' }).getByRole('row').filter({ hasText: 'Items' })
  await compared.waitFor()
  const columns = await page.getByRole('table', { name: 'Modules' }).getByRole('columnheader').allTextContents()
  const cells = await compared.getByRole('cell').allTextContents()
  expect(cells[columns.indexOf('Changed')]).toMatch(/1$/)
  await compared.getByRole('button', { name: '1' }).click()
  const rate = page.getByRole('dialog').getByRole('row').filter({ hasText: 'rate' }).first()
  await expect.poll(() => rate.textContent()).toContain('123.45')
  await page.keyboard.press('Escape')

  const folder = join(zinc.dataDir, 'sync_sessions', newer!.session, 'raw_json')
  const [stamp] = await readdir(folder)
  const file = join(folder, stamp!, 'items.json')
  const whole = await readFile(file, 'utf8')
  await writeFile(file, whole.replace('123.45', '999.99'))
  const calls = await zinc.services.db.zohoCall.count()
  await page.goto(`/settings/pulls/${newer!.session}`)
  await page.getByRole('button', { name: 'Verify', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Verify files only' }).click()
  await page.getByText('1 module does not match.').waitFor()
  await page.getByText(first!.item_id).first().waitFor()
  expect(await zinc.services.db.zohoCall.count()).toBe(calls)

  await page.getByRole('button', { name: 'Repair', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Repair', exact: true }).click()
  await page.getByText('Everything matches.').waitFor()
  expect(byId(await readFile(file, 'utf8'))).toEqual(byId(whole))

  const downloading = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download' }).click()
  const download = await downloading
  expect(download.suggestedFilename()).toContain(newer!.session)
  expect((await readFile(await download.path())).length).toBeGreaterThan(1_000)

  await page.getByRole('button', { name: 'Delete', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
  await page.waitForURL('**/settings/pulls')
  await page.getByRole('table', { name: 'Sessions' }).waitFor()
  expect((await zinc.services.pulls.sessions.list()).map(({ session }) => session)).toEqual([older!.session])
  expect(complaints).toEqual([])
})
