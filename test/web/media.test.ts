import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { VariantSettings } from '../../src/schemas/media.ts'
import { axeFindings, logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }
async function openMedia(zinc: TestZinc, tab: string) {
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto(`/settings/media?tab=${tab}`)
  await logIn(page, ADMIN)
  await settled(page)
  return { page, complaints }
}
/** Two busy cores. */
const SOON = { timeout: 30_000 }
const newestRun = ({ services }: TestZinc) => services.db.run.findFirstOrThrow({ orderBy: { created_at: 'desc' } })

longTest('the page tells what is stored; a new recipe is saved, and one size or everything is made again', async () => {
  const zinc = await startZinc({ synced: true })
  const { page, complaints } = await openMedia(zinc, 'storage')
  const { data: stored } = (await (await zinc.call('/api/media/storage')).json()) as { data: { originals: { count: number } } }
  expect(stored.originals.count).toBeGreaterThan(10)
  await page.getByRole('region', { name: 'Storage' }).getByText(`${stored.originals.count} files`).first().waitFor()

  await page.getByRole('tab', { name: 'Thumbnail settings' }).click()
  const variantConfig = async () => ((await (await zinc.call('/api/media/variants')).json()) as { data: VariantSettings }).data
  const before = await variantConfig()
  expect(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled()).toBe(true)
  await page.getByLabel('Small: longest side').fill('120')
  await page.getByLabel('Also generate AVIF').check()
  await page.getByLabel('AVIF quality').fill('44')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Saved. Existing thumbnails are regenerated').waitFor()
  const after = await variantConfig()
  expect(after).toMatchObject({ sizes: { ...before.sizes, thumb: 120 }, quality: { ...before.quality, avif: 44 } })
  expect(after.formats).toContain('avif')
  await page.getByText(after.recipe).waitFor()

  const make = async (item: string) => {
    const last = (await newestRun(zinc)).id
    await page.getByRole('button', { name: 'Regenerate' }).click()
    await page.getByRole('menuitem', { name: item }).click()
    await expect.poll(async () => (await newestRun(zinc)).id, SOON).not.toBe(last)
    const { id, params } = await newestRun(zinc)
    // The page follows the run in its place, and goes on doing so after a reload.
    await page.waitForURL(`**/settings/media?tab=sizes&run=${id}`)
    await page.getByText('Completed', { exact: true }).first().waitFor()
    return params
  }
  expect(await make('Small only')).toMatchObject({ which: 'size', size: 'thumb' })
  expect(await make('Medium only')).toMatchObject({ which: 'size', size: 'medium' })
  expect(await make('All thumbnails')).toMatchObject({ which: 'all' })
  expect(complaints).toEqual([])
})

longTest('findings are downloaded and repaired; a queue is paused, resumed and cleared', async () => {
  const zinc = await startZinc({ synced: true })
  const lost = await zinc.services.db.blob.findMany({ take: 2, orderBy: { sha256: 'asc' } })
  for (const { sha256 } of lost) await rm(join(zinc.dataDir, 'images', 'originals', sha256.slice(0, 2), sha256))
  const { page, complaints } = await openMedia(zinc, 'integrity')
  await page.getByRole('button', { name: 'Check all files' }).click()
  const findings = page.getByRole('table', { name: 'Integrity' }).getByRole('row').filter({ hasText: 'File missing' })
  await findings.nth(1).waitFor()

  const coming = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download CSV' }).click()
  const download = await coming
  expect(download.suggestedFilename()).toBe('image-integrity.csv')
  const lines = (await readFile((await download.path()) ?? '', 'utf8')).trimEnd().split('\r\n')
  expect(lines[0]).toBe('\ufefffinding,sha256,bytes,repair,products')
  for (const { sha256 } of lost) expect(lines.filter((line) => line.startsWith(`missing,${sha256},`))).toHaveLength(1)

  // The pictures do not come: the repair waits at Zoho, is paused there, goes on, and fails for one
  // of them.
  zinc.zoho.fail({ path: /\/image/, cut: 'silent', times: 2 })
  await page.getByRole('button', { name: 'Repair all' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Repair all' }).click()
  await page.getByRole('tab', { name: 'Storage' }).click()
  const queue = page.getByRole('table', { name: 'Jobs' }).getByRole('row').filter({ hasText: 'File repair' })
  await queue.getByRole('button', { name: 'Pause' }).waitFor()
  const before = await newestRun(zinc)
  await queue.getByRole('button', { name: 'Pause' }).click()
  await queue.getByRole('button', { name: 'Resume' }).waitFor()
  expect((await newestRun(zinc)).id).toBe(before.id)
  expect((await newestRun(zinc)).state).toBe('paused')
  zinc.zoho.clearFaults()
  await queue.getByRole('button', { name: 'Resume' }).click()
  await page.getByRole('tab', { name: 'Integrity' }).click()
  await page.getByText('All files OK').waitFor()
  await page.getByRole('tab', { name: 'Storage' }).click()
  await expect.poll(async () => (await newestRun(zinc)).state, SOON).toBe('success')

  await zinc.services.db.run.update({ where: { id: before.id }, data: { state: 'partial' } })
  await queue.getByRole('button', { name: 'Clear failed' }).click()
  await queue.getByRole('button', { name: 'Clear failed' }).waitFor({ state: 'detached' })
  expect((await newestRun(zinc)).cleared_at).not.toBeNull()
  expect(complaints).toEqual([])
})

longTest('images are found by what is wrong with them, described together and looked at', async () => {
  const zinc = await startZinc({ synced: true })
  const { page, complaints } = await openMedia(zinc, 'images')
  await page.getByText('20 images', { exact: true }).waitFor()
  await page.getByLabel('Condition').selectOption('without_alt')
  await page.waitForURL('**/settings/media?show=without_alt')
  await page.getByRole('button', { name: 'Select 20 shown' }).click()
  const selection = page.getByRole('region', { name: 'Selection' })
  await selection.getByText('20 images selected').waitFor()
  expect(await axeFindings(page)).toEqual([])
  await selection.getByRole('button', { name: 'Edit alt text' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('The same text for all').check()
  await dialog.getByLabel('Alt text, English').fill('A product')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('No images found').waitFor()
  expect(await zinc.services.db.photo.count({ where: { alt_en: 'A product' } })).toBe(20)

  await page.getByRole('button', { name: 'Clear filters' }).click()
  await page
    .getByRole('button', { name: /^View / })
    .first()
    .click()
  await dialog.getByText('1 of 20').waitFor()
  await page.keyboard.press('ArrowRight')
  await dialog.getByText('2 of 20').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  expect(complaints).toEqual([])
})
