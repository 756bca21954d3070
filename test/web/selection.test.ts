import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import type { ProductsResponse } from '../../src/schemas/products.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { axeFindings, logIn, openBrowser, settled, sidewaysPixels, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('chosen products lose and regain images, regenerate, refetch and export', async () => {
  // Names that a page or a spreadsheet could take for something to run.
  const naughty = '=<img src=x onerror="window.hit=1">'
  const zinc = await startZinc({ items: createSeed({ count: 30 }).map((it) => ({ ...it, name: `${naughty}${it.name}` })) })
  await zinc.sync('?sync_images=true')
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  await page.goto('/settings/products?has_image=true')
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })
  await settled(page)
  await page.locator('[data-index="5"]').getByRole('link').waitFor()
  const { data } = (await (await zinc.call('/api/products?has_image=true&limit=500')).json()) as ProductsResponse
  const withImage = async () => ((await (await zinc.call('/api/products?has_image=true&limit=500')).json()) as ProductsResponse).data.length
  const bar = page.getByRole('region', { name: 'Selection' })
  const box = (index: number) => page.locator(`[data-index="${index}"]`).getByRole('checkbox')
  const selection = () =>
    page
      .locator('[role=row][aria-selected=true]')
      .evaluateAll((rows: { dataset: { index: string } }[]) => rows.map((row) => Number(row.dataset.index)).sort((a, b) => a - b))

  // The box chooses and does not open; Shift chooses all between.
  await box(1).click()
  await bar.getByText('1 product selected').waitFor()
  await box(4).click({ modifiers: ['Shift'] })
  await bar.getByText('4 products selected').waitFor()
  expect(await selection()).toEqual([1, 2, 3, 4])
  expect(new URL(page.url()).pathname).toBe('/settings/products')
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 900 })
    expect([width, await axeFindings(page), await sidewaysPixels(page)]).toEqual([width, [], 0])
  }
  await page.setViewportSize({ width: 1440, height: 900 })

  // By keys: none, one, three, all.
  await page.locator('[data-index="0"]').focus()
  await page.keyboard.press('Escape')
  await bar.waitFor({ state: 'detached' })
  await page.keyboard.press('Space')
  await bar.getByText('1 product selected').waitFor()
  await page.keyboard.press('Shift+ArrowDown')
  await bar.getByText('2 products selected').waitFor()
  await page.keyboard.press('Shift+ArrowDown')
  await bar.getByText('3 products selected').waitFor()
  expect(await selection()).toEqual([0, 1, 2])
  await page.keyboard.press('Control+a')
  await bar.getByText(`${data.length} products selected`).waitFor()
  // Another list is another choice.
  await page.getByLabel('Missing data').selectOption('')
  await bar.waitFor({ state: 'detached' })
  await page.getByLabel('Missing data').selectOption('with_picture')
  await page.getByRole('checkbox', { name: 'Select all' }).check()
  await bar.getByText(`${data.length} products selected`).waitFor()
  await bar.getByRole('button', { name: 'Clear selection' }).click()
  await bar.waitFor({ state: 'detached' })

  await box(0).click()
  await box(1).click()
  const coming = page.waitForEvent('download')
  await bar.getByRole('button', { name: 'Export as CSV' }).click()
  const lines = (await readFile((await (await coming).path()) ?? '', 'utf8')).trimEnd().split('\r\n')
  expect(lines).toHaveLength(3)
  expect(lines[1]).toContain(data[0]!.zoho_item_id)
  expect(lines[2]).toContain(data[1]!.zoho_item_id)
  expect(lines[1]).toContain(`"'${naughty.replaceAll('"', '""')}`)
  expect(await page.getByText(naughty).count()).toBeGreaterThan(0)
  expect(await page.evaluate('window.hit')).toBeUndefined()

  // All of it, as a ZIP with the pictures.
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const zipping = page.waitForEvent('download')
  await page.getByRole('menuitem', { name: 'Records and images as ZIP' }).click()
  const zip = await readFile((await (await zipping).path()) ?? '')
  expect(zip.subarray(0, 2).toString()).toBe('PK')
  for (const { zoho_item_id } of data) expect(zip.includes(`images/item/${zoho_item_id}.`), zoho_item_id ?? '').toBe(true)

  const run = async (button: string) => {
    await bar.getByRole('button', { name: button }).click()
    await page.getByRole('button', { name: 'View run' }).waitFor()
    const { id, kind, params } = await zinc.services.db.run.findFirstOrThrow({ orderBy: { created_at: 'desc' } })
    await zinc.services.runs.wait(id, AbortSignal.timeout(60_000))
    return { id, kind, params: JSON.stringify(params) }
  }
  const made = await run('Regenerate thumbnails')
  expect(made.kind).toBe('media_regenerate')
  for (const { images } of data.slice(0, 2)) expect(made.params).toContain(images[0]!.sha256)
  await page.getByRole('button', { name: 'View run' }).click()
  await page.waitForURL(`**/zoho/runs/${made.id}`)
  await page.goto('/settings/products?has_image=true')
  await page.locator('[data-index="1"]').getByRole('link').waitFor()
  await box(0).click()
  await box(1).click()
  const images = zinc.zoho.counters.images
  expect((await run('Re-download images')).kind).toBe('items')
  expect(zinc.zoho.counters.images - images).toBe(2)

  await bar.getByRole('button', { name: 'Delete images' }).click()
  await page.getByText('2 images deleted').waitFor()
  await expect.poll(withImage, { timeout: 30_000 }).toBe(data.length - 2)
  await page.getByText(`${data.length - 2} products`, { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('2 images restored').waitFor()
  await expect.poll(withImage, { timeout: 30_000 }).toBe(data.length)
  expect(complaints).toEqual([])
})
