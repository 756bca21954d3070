import { expect, test } from 'vitest'
import { connect } from '../helpers/connection.ts'
import { addBlobs, addProducts } from '../helpers/feed-rows.ts'
import { longTest } from '../helpers/long.ts'
import { startShop, type TestStore } from '../helpers/test-shop.ts'

longTest('of a photo one sees how it stands in every store', async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 3)
  await addProducts(client, 3, { blobs: 3 })
  const stores = {
    S1: await shop.addStore(),
    S2: await shop.addStore(),
    S3: await shop.addStore({ assortment: { skus: ['P1'] } }),
    S4: await shop.addStore({ assortment: { skus: ['P2'] } }),
  }
  const photo = (await stores.S1.list()).photos.find(({ product_sku }) => product_sku === 'P1')!
  const report = (store: TestStore, status: string, error: string | null = null) =>
    store.fetch('/status/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ store_id: store.id, sync_batch: [{ photo_id: photo.id, status, error, version: photo.version }] }),
    })
  const states = async () => {
    const { data } = (await shop.send('GET', `/api/v1/sync/photos/${photo.id}/stores`)).body as never as {
      data: { code: string; state: string; report: { error: string | null; attempts: number } | null }[]
    }
    return Object.fromEntries(data.map(({ code, state, report: last }) => [code, last?.error ? `${state}: ${last.error}` : state]))
  }
  expect(await states()).toEqual({ S1: 'behind', S2: 'behind', S3: 'behind', S4: 'not_sold' })
  await report(stores.S1, 'synced')
  await report(stores.S2, 'failed', 'disk full')
  await report(stores.S3, 'synced')
  expect(await states()).toEqual({ S1: 'synced', S2: 'failed: disk full', S3: 'synced', S4: 'not_sold' })
  await client.query('update photo set version = version + 1 where id = $1', [photo.id])
  await shop.send('PATCH', `/api/v1/stores/${stores.S3.id}`, { assortment: { skus: ['P3'] } })
  expect(await states()).toEqual({ S1: 'outdated', S2: 'failed: disk full', S3: 'leaving', S4: 'not_sold' })
  await report(stores.S3, 'deleted')
  await shop.send('POST', `/api/v1/sync/stores/${stores.S2.id}/resync`)
  expect(await states()).toEqual({ S1: 'outdated', S2: 'behind: disk full', S3: 'not_sold', S4: 'not_sold' })

  expect((await shop.send('GET', '/api/v1/sync/photos/00000000-0000-4000-8000-000000000000/stores')).body).toMatchObject({
    code: 'photo_not_found',
  })
  expect((await stores.S1.fetch(`/../photos/${photo.id}/stores`)).status).toBe(403)
})

test('the categories in use are named with their number of products', async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 1)
  await addProducts(client, 25, { blobs: 1 })
  await client.query(`update product set category = case sku when 'P1' then null when 'P2' then '' else category end`)
  await client.query(`update product set deleted_at = now() where sku in ('P3', 'P13', 'P23', 'P4')`)
  const { data } = (await shop.send('GET', '/api/products/categories')).body as never as { data: { name: string; products: number }[] }
  expect(data.map(({ name, products }) => `${name} ${products}`)).toEqual([
    'C0 2',
    'C1 2',
    'C2 2',
    'C4 2',
    'C5 3',
    'C6 2',
    'C7 2',
    'C8 2',
    'C9 2',
  ])
})
