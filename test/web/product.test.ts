import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterEach, beforeAll, expect } from 'vitest'
import type { CoverageResponse } from '../../src/schemas/coverage.ts'
import type { Product, ProductsResponse } from '../../src/schemas/products.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

const ADMIN = { username: 'admin', password: 'a-password-for-tests' }
/** Two busy cores; the page shows most changes before the server has said yes. */
const SOON = { timeout: 30_000 }
const ZOHO = '/api/settings/integrations/zoho'
let zinc: TestZinc
beforeAll(async () => {
  const items = createSeed({ count: 30 })
  items[6]!.sku = items[5]!.sku
  const opened = await openZinc({ items })
  zinc = opened
  await zinc.sync('?sync_images=true')
  return opened.end
})

const complaintsOf: string[][] = []
afterEach(() => expect(complaintsOf.splice(0).flat()).toEqual([]))
async function open(path: string, person = ADMIN): Promise<Page> {
  const { page, complaints } = await visit(await openBrowser(), { origin: zinc.url })
  complaintsOf.push(complaints)
  await page.goto(path)
  await logIn(page, person)
  await settled(page)
  return page
}
const products = async (query: string) => ((await (await zinc.call(`/api/products?${query}`)).json()) as ProductsResponse).data
const imagesOf = async (id: string) => ((await (await zinc.call(`/api/products/${id}`)).json()) as { data: Product }).data.images

longTest('an image is pasted into a product, and a deleted one is restored from the list', async () => {
  const [bare] = await products('coverage=without_picture&limit=1')
  const page = await open(`/settings/products/${bare!.id}`)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const base64 = (await drawnImage()).toString('base64')
  await page.evaluate(`navigator.clipboard.write([new ClipboardItem({
    'image/png': new Blob([Uint8Array.from(atob('${base64}'), (char) => char.charCodeAt(0))], { type: 'image/png' }),
  })])`)
  await page.keyboard.press('Control+V')
  await page.getByText('1 image added').waitFor()
  await expect.poll(async () => (await imagesOf(bare!.id)).length, SOON).toBe(1)
  const [{ filename } = { filename: '' }] = await imagesOf(bare!.id)

  await page.getByRole('button', { name: `Actions for ${filename}` }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await page.getByText('No images yet').waitFor()
  await expect.poll(async () => (await imagesOf(bare!.id)).length, SOON).toBe(0)
  await page.reload()
  await settled(page)
  await page.getByText('Deleted images (1)').click()
  await page.getByRole('button', { name: 'Restore' }).click()
  await page.getByText('Image restored').waitFor()
  await page.getByRole('list', { name: 'Images' }).getByText(filename).waitFor()
  expect(await imagesOf(bare!.id)).toMatchObject([{ filename, is_primary: true }])
})

longTest("our own primary image is compared with Zoho's, and Zoho's is taken instead", async () => {
  const withImage = (await products('has_image=true&limit=500')).find(({ image_source }) => image_source?.kind === 'zoho')
  const form = imageForm([await drawnImage()], { is_primary: 'true' }, 'ours.png')
  expect((await zinc.call(`/api/products/${withImage!.id}/images/upload`, { method: 'POST', body: form })).ok).toBe(true)
  const page = await open(`/settings/products/${withImage!.id}`)
  await page.getByRole('button', { name: 'Compare with Zoho' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('The images are different.').waitFor()
  await dialog.getByText('ours.png').waitFor()
  expect(await dialog.locator('figure img').count()).toBe(2)
  await dialog.getByRole('button', { name: 'Use Zoho’s as primary' }).click()
  await dialog.waitFor({ state: 'detached' })
  await expect
    .poll(async () => (await imagesOf(withImage!.id)).find(({ is_primary }) => is_primary)?.image_source, SOON)
    .toMatchObject({ kind: 'zoho' })
  await page.getByRole('button', { name: 'Compare with Zoho' }).click()
  await dialog.getByText('Both images are identical.').waitFor()
})

longTest('every filter of what is missing lists its number, and records export as JSON and CSV', async () => {
  const page = await open('/settings/products')
  const coverage = (await (await zinc.call(`${ZOHO}/coverage`)).json()) as import('zod').z.infer<typeof CoverageResponse>
  for (const [key, count] of Object.entries(coverage.data)) {
    await page.getByLabel('Missing data').selectOption(key)
    await page.waitForURL(`**/settings/products?coverage=${key}`)
    if (count === 0) await page.getByText('No products found').waitFor()
    else {
      await page.getByText(count === 1 ? '1 product' : `${count} products`, { exact: true }).waitFor()
      await page.locator(`[data-index="${count - 1}"]`).waitFor()
    }
  }
  expect(coverage.data.duplicate_sku).toBe(2)

  const exported = async (item: string) => {
    await page.getByRole('button', { name: 'Export' }).click()
    const coming = page.waitForEvent('download')
    await page.getByRole('menuitem', { name: item }).click()
    const download = await coming
    return { name: download.suggestedFilename(), text: await readFile((await download.path()) ?? '', 'utf8') }
  }
  const json = await exported('Records as JSON')
  expect(json.name).toMatch(/\.json$/)
  expect(JSON.parse(json.text)).toHaveLength(30)
  const csv = await exported('Records as CSV')
  expect(csv.name).toMatch(/\.csv$/)
  expect(csv.text.split('\n')[0]).toContain('zoho_item_id')
})

longTest('a viewer sees products, images and media without controls, and the server refuses edits', async () => {
  const person = { username: 'omar', password: 'a-password-of-theirs' }
  await zinc.call('/api/v1/users', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...person, role: 'viewer' }),
  })
  const [withImage] = await products('has_image=true&limit=1')
  const page = await open('/settings/products', person)
  const acting = () =>
    page
      .getByRole('main')
      .getByRole('button')
      .evaluateAll((all: { ariaLabel: string | null; textContent: string }[]) =>
        all.map((one) => (one.ariaLabel ?? one.textContent).trim()),
      )
  // How the list is shown is anybody's: the heads of its columns sort, others are chosen.
  expect((await acting()).filter((name) => !/^(Product|SKU|Price|Stock|Columns)$/.test(name))).toEqual([])
  expect(await page.getByRole('main').getByRole('checkbox').count()).toBe(0)
  expect(await page.getByRole('link', { name: 'Import', exact: true }).count()).toBe(0)
  expect(await page.getByRole('link', { name: 'Pulls' }).count()).toBe(0)

  await page.goto(`/settings/products/${withImage!.id}`)
  await settled(page)
  expect((await acting()).filter((name) => !/^(Compare with Zoho|View .*|Actions for .*|Copy .*)$/.test(name))).toEqual([])
  await page
    .getByRole('button', { name: /^Actions for/ })
    .first()
    .click()
  await page.getByRole('menuitem').last().waitFor()
  expect(await page.getByRole('menuitem').allTextContents()).toEqual(['Details and alt text', 'Open original'])
  await page.goto('/settings/media')
  await settled(page)
  expect((await acting()).filter((name) => !/^(Copy|View) .*$/.test(name))).toEqual([])

  // Who types an address that is not theirs hears which role it takes, and is offered nothing.
  for (const [path, words] of [
    ['/settings/pulls', 'forbidden'],
    ['/settings/pulls/compare', 'forbidden'],
    ['/settings/products/import', 'You need the operator role to import'],
  ] as const) {
    await page.goto(path)
    await page.getByRole('main').getByText(words).first().waitFor()
    expect([path, (await acting()).filter((name) => !/^(Copy .*|Try again)$/.test(name))]).toEqual([path, []])
  }
  const image = withImage!.images[0]!.id
  for (const [method, path] of [
    ['POST', `/api/products/${withImage!.id}/images/upload`],
    ['DELETE', `/api/products/${withImage!.id}/images/${image}`],
    ['PATCH', `/api/products/${withImage!.id}/images/${image}`],
    ['POST', '/api/products/images/delete'],
    ['POST', '/api/products/images/refetch'],
    ['PUT', '/api/media/variants'],
    ['POST', '/api/media/integrity/repair'],
    ['GET', '/api/pulls/'],
    ['GET', `${ZOHO}/export`],
  ] as const)
    expect([
      path,
      await page.evaluate<number>(
        `fetch('${path}', { method: '${method}', ${method === 'GET' ? '' : "headers: { 'content-type': 'application/json' }, body: '{}'"} }).then(({ status }) => status)`,
      ),
    ]).toEqual([path, 403])
})
