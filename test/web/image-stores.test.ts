import { expect } from 'vitest'
import type { ProductsResponse } from '../../src/schemas/products.ts'
import { axeFindings, logIn, openBrowser, settled, visit } from '../helpers/browser.ts'
import { longTest } from '../helpers/long.ts'
import { startShop, type TestStore } from '../helpers/test-shop.ts'

longTest("an image's panel says which stores have it, which do not yet and why, and leads to the store", async () => {
  const shop = await startShop()
  const { data } = (await (await shop.call('/api/products?has_image=true&limit=1')).json()) as ProductsResponse
  const { id, images } = data[0]!
  const photo = images[0]!
  const there = await shop.addStore({ name: 'Karrada' })
  const full = await shop.addStore({ name: 'Mansour' })
  await shop.addStore({ name: 'Basra' })
  await shop.addStore({ name: 'Erbil', assortment: { skus: ['none'] } })
  const report = (store: TestStore, status: string, error: string | null = null) =>
    store.fetch('/status/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ store_id: store.id, sync_batch: [{ photo_id: photo.id, status, error, version: photo.version }] }),
    })
  await report(there, 'synced')
  await report(full, 'failed', 'disk full')

  const { page, complaints } = await visit(await openBrowser(), { origin: shop.url, width: 360 })
  await page.goto(`/settings/products/${id}`)
  await logIn(page, { username: 'admin', password: 'a-password-for-tests' })
  await settled(page)
  await page.getByRole('button', { name: `Actions for ${photo.filename}` }).click()
  await page.getByRole('menuitem', { name: 'Details and alt text' }).click()
  const panel = page.getByRole('region', { name: 'Stores' })
  await panel.getByText('1 of 3').waitFor()
  const row = (store: string) => panel.getByRole('listitem').filter({ hasText: store })
  expect(await row('Karrada').textContent()).toMatch(/Synced.*Reported/)
  expect(await row('Mansour').textContent()).toMatch(/Failed.*disk full.*1 attempt/)
  expect(await row('Basra').textContent()).toContain('Pending')
  expect(await row('Erbil').textContent()).toContain('Not in assortment')
  expect(await axeFindings(page)).toEqual([])
  // It looks again by itself.
  await report(full, 'synced')
  await panel.getByText('2 of 3').waitFor()
  await row('Mansour').getByRole('link').click()
  await page.waitForURL(`**/settings/stores/${full.id}`)
  await page.getByRole('heading', { level: 1, name: 'Mansour' }).waitFor()
  expect(complaints).toEqual([])
})
