import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }

longTest('a run is paused, resumed and cancelled, and what it did is downloaded', async () => {
  // Fewer calls a minute than there are pictures, so that the run is under way while it is steered.
  const { url } = await startZinc({ environment: { ZOHO_REQUESTS_PER_MINUTE: '6' } })
  const { page, complaints } = await visit(await openBrowser(), { origin: url })
  await page.goto('/settings/integrations/zoho/runs')
  await logIn(page, ADMIN)
  await page.getByRole('button', { name: 'Sync now' }).first().click()
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.waitForURL('**/runs/*')
  await page.getByText(/Waiting .*zinc makes at most 6 calls a minute/).waitFor()
  await page.getByRole('button', { name: 'Account and display' }).click()
  await page.getByRole('button', { name: 'العربية' }).click()
  await page.getByText(/ينتظر .*يرسل zinc .*6/).waitFor()
  await page.getByRole('button', { name: 'English' }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('Paused', { exact: true }).waitFor()
  await page.reload()
  await settled(page)
  await page.getByText('Paused. Resume to continue where it stopped.').waitFor()
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByText(/Waiting .*zinc makes at most 6 calls a minute/).waitFor()
  await page.getByRole('button', { name: 'Cancel run' }).click()
  // Escape does nothing to the run.
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Cancel run' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel run' }).click()
  await page.getByText('Cancelled', { exact: true }).waitFor()

  const coming = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download as JSON' }).click()
  const download = await coming
  expect(download.suggestedFilename()).toMatch(/^zinc-run-[0-9a-f-]{36}\.json$/)
  const file = JSON.parse(await readFile((await download.path()) ?? '', 'utf8')) as { run: { state: string }; records: object[] }
  expect(file.run.state).toBe('cancelled')
  expect(file.records).toHaveLength(30)
  expect(complaints).toEqual([])
})

longTest('a failure is retried from the inbox, and a stopped removal leads to its plan', async () => {
  const items = createSeed({ count: 30 })
  items[6]!.sku = items[5]!.sku
  const zinc = await startZinc({ items })
  const [broken] = zinc.zoho.items().filter((item) => item.image_document_id !== '')
  zinc.zoho.fail({ path: new RegExp(`items/${broken!.item_id}/image`), status: 500, times: 99 })
  await zinc.sync('?sync_images=true')
  zinc.zoho.clearFaults()
  for (const item of zinc.zoho.items().slice(10, 22)) zinc.zoho.remove(item.item_id)
  await zinc.sync('?mode=full')
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/integrations/zoho/failures')
  await logIn(page, ADMIN)

  const decide = page.getByRole('region', { name: 'Needs a decision' })
  await decide.getByRole('article').filter({ hasText: 'sku_conflict' }).waitFor()
  await decide.getByRole('article').filter({ hasText: 'mass_delete_stopped' }).waitFor()
  const failed = page.getByRole('region', { name: '1 open' })
  await failed.getByRole('button', { name: 'Retry group' }).click()
  await page.waitForURL('**/zoho/runs/*')
  await page.getByText('Completed', { exact: true }).waitFor()
  await page.goto('/settings/integrations/zoho/failures')
  await decide.getByRole('link', { name: 'Products that share a SKU' }).waitFor()
  expect(await failed.count()).toBe(0)
  await decide.getByRole('button', { name: 'Review removal' }).click()
  const dialog = page.getByRole('dialog')
  expect(await dialog.getByRole('radio', { name: /^Full/ }).isChecked()).toBe(true)
  await dialog.getByRole('button', { name: 'Preview changes' }).click()
  const confirm = dialog.getByRole('checkbox', { name: /12/ })
  await confirm.waitFor()
  expect(await dialog.getByRole('button', { name: 'Start', exact: true }).isDisabled()).toBe(true)
  await confirm.check()
  await dialog.getByRole('button', { name: 'Start', exact: true }).click()
  await page.waitForURL('**/zoho/runs/*')
  await expect.poll(() => page.getByRole('main').textContent()).toMatch(/Removed\s*12/)
  expect(complaints).toEqual([])
})
