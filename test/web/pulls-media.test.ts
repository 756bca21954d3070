import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { startZinc } from '../helpers/zinc.ts'

test('an operator pulls a module, checks and pins the session, then finds a lost picture and has just that one repaired', async () => {
  const zinc = await startZinc()
  await zinc.sync('?sync_images=true')
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/pulls')
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })
  await page.getByRole('button', { name: 'New pull' }).first().click()
  await page.getByRole('button', { name: 'None', exact: true }).click()
  await page.getByLabel('Items', { exact: true }).check()
  await page.getByRole('button', { name: 'Start pull' }).click()
  await page.waitForURL('**/zoho/runs/*')
  await page.getByText('Done', { exact: true }).first().waitFor()

  await page.goto('/settings/pulls')
  await page.getByRole('table', { name: 'Sessions' }).getByRole('link').click()
  await settled(page)
  await page.getByRole('button', { name: 'Check', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Check against Zoho' }).click()
  await page.getByText('Everything matches.').waitFor()
  await page.getByText('Verified', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Pin', exact: true }).click()
  await page.getByRole('button', { name: 'Take the pin off' }).waitFor()
  expect(await page.getByRole('button', { name: 'Delete', exact: true }).isDisabled()).toBe(true)

  const [lost, also] = await zinc.services.db.blob.findMany({ take: 2, orderBy: { sha256: 'asc' } })
  for (const blob of [lost!, also!]) await rm(join(zinc.dataDir, 'images', 'originals', blob.sha256.slice(0, 2), blob.sha256))
  await page.goto('/settings/media')
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
