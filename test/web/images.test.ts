import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Product, ProductsResponse } from '../../src/schemas/products.ts'
import { axeFindings, logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { dropFiles } from '../helpers/drop-files.ts'
import { drawnImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'
import { zipOf } from '../helpers/zip.ts'

/** Two slow cores; the page itself shows most changes before the server has said yes. */
const SOON = { timeout: 30_000 }
const ADMIN = { username: 'admin', password: 'a-password-for-tests' }
const imageMenu = async (page: Page, name: string, item: string) => {
  await page.getByRole('button', { name: `Actions for ${name}` }).click()
  await page.getByRole('menuitem', { name: item }).click()
  await page.getByRole('menu').waitFor({ state: 'detached' })
}
/**
 * Closing, a menu gives the focus back by a timer; keys that are pressed before go to nobody. Also
 * when its picture has moved meanwhile.
 */
const focusOn = (page: Page, name: string) =>
  expect.poll(() => page.evaluate('document.activeElement.ariaLabel'), SOON).toBe(`Actions for ${name}`)

longTest('an operator adds, orders, describes, deletes and restores images of a product', async () => {
  const { url, call } = await startZinc({ synced: true })
  const { page, complaints } = await visit(await openBrowser(), { origin: url })
  await page.goto('/settings/products')
  await logIn(page, ADMIN)
  await page.getByText('30 products', { exact: true }).waitFor()

  // By what is missing, then by name; the rows are one tab stop and the arrow keys move in them.
  await page.getByLabel('Missing data').selectOption('without_picture')
  await page.getByText('10 products', { exact: true }).waitFor()
  const bare = ((await (await call('/api/products?coverage=without_picture')).json()) as ProductsResponse).data
  await page.locator('[data-index="0"]').focus()
  await page.keyboard.press('ArrowDown')
  expect(await page.evaluate<string>('document.activeElement.dataset.index')).toBe('1')
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/settings/products/${bare[1]!.id}`)
  await settled(page)

  const id = bare[1]!.id
  const product = async () => ((await (await call(`/api/products/${id}`)).json()) as { data: Product }).data
  const names = async () => (await product()).images.map(({ filename }) => filename)
  const shown = () => page.getByRole('list', { name: 'Images' }).getByRole('listitem')
  const gallery = page.getByRole('region', { name: 'Images' })
  const png = async (name: string) => ({ name, type: 'image/png', bytes: await drawnImage() })
  await dropFiles(gallery, [await png('front.png'), { name: 'notes.png', type: 'image/png', bytes: Buffer.from('not an image') }])
  await shown().filter({ hasText: 'front.png' }).getByText('Primary').waitFor()
  // The one that is none says so, and does not stop the other.
  await page.getByRole('alert').filter({ hasText: 'not_an_image' }).waitFor()
  await page.getByRole('button', { name: 'Dismiss notes.png' }).click()
  // One at a time: two at once may arrive in either order.
  await dropFiles(gallery, [await png('side.png')])
  await shown().nth(1).getByText('side.png').waitFor()
  await dropFiles(gallery, [await png('back.png')])
  await shown().nth(2).getByText('back.png').waitFor()

  await imageMenu(page, 'side.png', 'Set as primary')
  await expect.poll(names, SOON).toEqual(['side.png', 'front.png', 'back.png'])
  await shown().first().getByText('side.png').waitFor()
  await focusOn(page, 'side.png')

  // Space lifts, an arrow moves, Space drops; what stands first is the primary.
  await page.getByRole('button', { name: 'Move front.png' }).focus()
  await page.keyboard.press('Space')
  await page.getByText('front.png is at position 2 of 3').waitFor({ state: 'attached' })
  // The arrows are heard from the next timer on; no person is that fast, but the browser serves
  // keys before timers.
  await page.evaluate('new Promise((done) => setTimeout(done, 1))')
  await page.keyboard.press('ArrowLeft')
  await page.getByText('front.png is at position 1 of 3').waitFor({ state: 'attached' })
  await page.keyboard.press('Space')
  await expect.poll(names, SOON).toEqual(['front.png', 'side.png', 'back.png'])
  expect((await product()).images.map(({ is_primary }) => is_primary)).toEqual([true, false, false])

  const from = await shown().nth(2).getByRole('img').boundingBox()
  const to = await shown().nth(1).getByRole('img').boundingBox()
  await page.mouse.move(from!.x + 60, from!.y + 60)
  await page.mouse.down()
  await page.mouse.move(to!.x + 70, to!.y + 60, { steps: 8 })
  // Where it is dropped is known once the page has drawn the last move; no person lets go before.
  await page.getByText('back.png is at position 2 of 3').waitFor({ state: 'attached' })
  await page.mouse.up()
  await expect.poll(names, SOON).toEqual(['front.png', 'back.png', 'side.png'])

  await imageMenu(page, 'back.png', 'Details and alt text')
  await page.getByLabel('Alt text, English').fill('The back')
  await page.getByLabel('Alt text, Arabic').fill('من الخلف')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect.poll(async () => (await product()).images[1], SOON).toMatchObject({ alt_en: 'The back', alt_ar: 'من الخلف' })
  await shown().getByRole('img', { name: 'The back' }).waitFor()

  await imageMenu(page, 'front.png', 'Delete')
  await page.getByText('front.png was deleted').waitFor()
  // The one that took its place has the focus.
  await focusOn(page, 'back.png')
  await expect.poll(names, SOON).toEqual(['back.png', 'side.png'])
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(async () => (await names()).toSorted(), SOON).toEqual(['back.png', 'front.png', 'side.png'])
  await shown().filter({ hasText: 'front.png' }).waitFor()

  // Several at once, by keys, and back.
  for (const name of ['front.png', 'back.png']) {
    await page.getByRole('checkbox', { name: `Select ${name}` }).focus()
    await page.keyboard.press('Space')
  }
  const selection = page.getByRole('region', { name: 'Selection' })
  await selection.getByText('2 images selected').waitFor()
  expect(await axeFindings(page)).toEqual([])
  await selection.getByRole('button', { name: 'Delete' }).click()
  await expect.poll(names, SOON).toEqual(['side.png'])
  await page.getByRole('alert').filter({ hasText: '2 images deleted' }).getByRole('button', { name: 'Undo' }).click()
  await expect.poll(async () => (await names()).toSorted(), SOON).toEqual(['back.png', 'front.png', 'side.png'])
  await shown().filter({ hasText: 'front.png' }).waitFor()
  await selection.waitFor({ state: 'detached' })

  // The way back leads to the list as it was; the product has left it.
  await page.getByRole('main').getByRole('link', { name: 'Products', exact: true }).click()
  await page.waitForURL('**/settings/products?coverage=without_picture')
  await page.getByText('9 products', { exact: true }).waitFor()

  // Words that are not the product's own language find it, too; a list that finds nothing says how
  // to go on.
  await page.getByRole('textbox', { name: /^Search/ }).fill('no such thing')
  await page.getByText('No products found').waitFor()
  await page.getByRole('button', { name: 'Show all products' }).click()
  await page.getByText('30 products', { exact: true }).waitFor()
  const arabic = ((await (await call('/api/products?limit=500')).json()) as ProductsResponse).data.find(({ name_ar }) => name_ar !== null)!
  await page.getByRole('textbox', { name: /^Search/ }).fill(arabic.name_ar!)
  await page.getByRole('link', { name: arabic.name_en ?? arabic.name_ar!, exact: true }).waitFor()
  expect(complaints).toEqual([])
})

longTest('a ZIP shows what it would do before it does it, and is then taken in as a run', async () => {
  const { url, sync, call } = await startZinc()
  await sync()
  const { data } = (await (await call('/api/products?limit=500')).json()) as ProductsResponse
  const [first] = data.filter(({ sku }) => sku !== null && data.filter((other) => other.sku === sku).length === 1)
  const zip = await zipOf({ [`${first!.sku}/front.png`]: await drawnImage(), 'no-such-sku/front.png': await drawnImage() })

  const { page, complaints } = await visit(await openBrowser(), { origin: url })
  await page.goto('/settings/products/import')
  await logIn(page, ADMIN)
  await page.locator('input[type=file][accept*=zip]').setInputFiles({ name: 'images.zip', mimeType: 'application/zip', buffer: zip })
  await page.getByRole('table', { name: 'Will be added' }).getByText(`${first!.sku}/front.png`).waitFor()
  await page.getByRole('table', { name: 'No matching product' }).getByText('no-such-sku/front.png').waitFor()
  expect(((await (await call(`/api/products/${first!.id}`)).json()) as { data: Product }).data.images).toEqual([])

  await page.getByRole('button', { name: 'Import 1 image' }).click()
  await page.waitForURL('**/zoho/runs/*')
  await expect
    .poll(async () => ((await (await call(`/api/products/${first!.id}`)).json()) as { data: Product }).data.images, SOON)
    .toMatchObject([{ filename: 'front.png', is_primary: true, image_source: { kind: 'import' } }])
  expect(complaints).toEqual([])
})
