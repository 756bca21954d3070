import { expect } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('custom fields that lists do not show are found by one call a full run, and read when asked for', async () => {
  const items = createSeed({ count: 230 }) // every tenth has cf_warranty, from the fourth on
  const last = items[229]!
  last.custom_fields = { cf_colour: 'red', cf_supplier: 'Nara' }
  const zinc = await startZinc({
    items,
    locations: [],
    toggles: { hiddenFields: ['cf_warranty', 'cf_supplier'] },
    environment: { STOCK_PERCENT: '10' },
  })
  const { db } = zinc.services
  const callsAfter = async (sync: Promise<unknown>) => {
    const before = await db.run.count({ where: { kind: 'stock' } })
    await sync
    await waitFor(async () => {
      const runs = await db.run.findMany({ where: { kind: 'stock' } })
      return runs.length > before && runs.every(({ state }) => state === 'success')
    })
    const run = await db.run.findFirstOrThrow({ where: { kind: 'stock' }, orderBy: { created_at: 'desc' } })
    return (await db.zohoCall.findMany({ where: { run_id: run.id, path: { contains: 'itemdetails' } } })).map(({ job }) => job)
  }
  const mapping = async () => (await request(zinc, 'GET', '/mapping')).body.data
  const stored = async (id: string) => (await db.product.findUniqueOrThrow({ where: { zoho_item_id: id } })).custom_fields

  expect(await callsAfter(zinc.sync())).toEqual(['items'])
  expect(await mapping()).toMatchObject({
    hidden_fields: false,
    hidden_custom_fields: [{ api_name: 'cf_warranty', label: 'warranty', products: 10 }],
  })
  expect(await callsAfter(zinc.sync('?mode=full'))).toEqual(['items'])
  expect(await callsAfter(zinc.sync('?mode=full'))).toEqual(['items'])
  expect((await mapping()).hidden_custom_fields).toEqual([
    { api_name: 'cf_supplier', label: 'supplier', products: 1 },
    { api_name: 'cf_warranty', label: 'warranty', products: 23 },
  ])
  // All were seen, and their values were not asked for.
  expect(await callsAfter(zinc.sync('?mode=full'))).toEqual([])
  expect(await stored(last.item_id)).toEqual({ cf_colour: 'red', cf_colour_unformatted: 'red' })
  expect((await request(zinc, 'GET', '/coverage')).body.data.hidden_custom_fields).toBe(24)

  const turnedOn = request(zinc, 'PUT', '/mapping', { hidden_fields: true })
  expect(await callsAfter(turnedOn)).toEqual(['items', 'items', 'items'])
  expect((await turnedOn).body.data).toMatchObject({ hidden_fields: true })
  expect(await stored(last.item_id)).toMatchObject({ cf_colour: 'red', cf_supplier: 'Nara' })
  // Only items that changed are read again.
  zinc.zoho.edit(last.item_id, { custom_fields: { cf_colour: 'red', cf_supplier: 'Qamar' } })
  expect(await callsAfter(zinc.sync())).toEqual(['items'])
  expect(await stored(last.item_id)).toMatchObject({ cf_supplier: 'Qamar' })
  expect(await callsAfter(zinc.sync('?mode=full'))).toEqual([])

  // A field of the product that is read from a hidden one follows it.
  await request(zinc, 'PUT', '/mapping', { fields: [{ field: 'manufacturer', source: 'cf_supplier' }] })
  zinc.zoho.edit(last.item_id, { custom_fields: { cf_colour: 'red', cf_supplier: 'Tigris &amp; Sons' } })
  expect(await callsAfter(zinc.sync())).toEqual(['items'])
  expect(await db.product.findUnique({ where: { zoho_item_id: last.item_id } })).toMatchObject({ manufacturer: 'Tigris & Sons' })

  // A field that the list shows from now on is hidden no more.
  zinc.zoho.toggles.hiddenFields = ['cf_warranty']
  await zinc.sync('?mode=full')
  expect((await mapping()).hidden_custom_fields.map((it: { api_name: string }) => it.api_name)).toEqual(['cf_warranty'])
})
