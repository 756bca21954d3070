import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Price, Product, ProductsResponse } from '../../src/schemas/products.ts'
import { createPriceBooks, type SimulatedPriceBook } from '../../src/zoho-simulator/price-books.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, startZinc, type TestZinc } from '../helpers/zinc.ts'

const ITEMS = 12
let zinc: TestZinc

beforeAll(async () => {
  const opened = await openZinc({ items: createSeed({ count: ITEMS }) })
  zinc = opened
  await settled()
  return opened.end
})

/** The shop's lists as at the start, none of which zinc has read. */
beforeEach(async () => {
  const { db } = zinc.services
  await settled()
  await db.priceList.deleteMany()
  await db.watermark.deleteMany({ where: { name: 'price_lists' } })
  await db.run.deleteMany()
  await db.zohoCall.deleteMany()
  Object.assign(zinc.zoho.toggles, { rateTouchesList: false, priceBookItems: 'list' })
  zinc.zoho.priceBooks.replaceAll(createPriceBooks(zinc.zoho.items()))
})

const read = async <T>(path: string): Promise<T> => (await (await zinc.call(path)).json()) as T
/** Reads the price lists as when a person asks for it; responds with the run's result. */
async function readLists(query = '') {
  const { status, body } = await request(zinc, 'POST', `/modules/inventory/sync?only=price_lists${query}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body as { status: string; run_id: string; statistics: Record<string, number>; errors: { code: string; message: string }[] }
}
const callsOf = (where: object, of = zinc) => of.services.db.zohoCall.count({ where })
const runsOf = (kind: string) => zinc.services.db.run.findMany({ where: { kind }, orderBy: { created_at: 'asc' } })
const pricesOf = async (itemId: string) => (await read<{ data: Price[] }>(`/api/products/zoho:${itemId}/prices`)).data
async function fullSync(of = zinc): Promise<void> {
  expect((await of.sync('?mode=full')).status).toBe('success')
  await settled(of)
}
/** Waits until the runs that follow a full sync have ended. */
const settled = ({ services } = zinc) =>
  waitFor(async () => (await services.db.run.count({ where: { state: { in: ['queued', 'running'] } } })) === 0)

test('both kinds, currencies and purchases arrive, and a product shows what each active list says', async () => {
  await fullSync()
  const [run] = await runsOf('price_lists')
  expect(run).toMatchObject({ state: 'success', started_by: 'admin', statistics: { total: 5, new: 5, removed: 0 } })
  // One call for the list, and one for each active list: only its detail has rates and is_default.
  expect(await callsOf({ run_id: run!.id, job: 'price_lists' })).toBe(1 + 4)
  expect(await callsOf({ run_id: run!.id })).toBe(5)

  const lists = await read<{ data: { name: string }[] }>('/api/price-lists')
  const [partners, iqd, wholesale, supplier, old] = zinc.zoho.priceBooks.all()
  expect(lists.data.map(({ name }) => name)).toEqual(['Partners', 'Retail IQD', 'Wholesale', 'Supplier', 'Old season'])
  expect(await read(`/api/price-lists/${wholesale!.pricebook_id}`)).toEqual({
    status: 'success',
    data: {
      id: wholesale!.pricebook_id,
      name: 'Wholesale',
      type: 'sales',
      currency: 'USD',
      kind: 'percentage',
      percentage: '-12.5',
      rounding: 'round_to_nickel',
      is_default: true,
      status: 'active',
      read_at: expect.any(String),
    },
  })
  expect((await read<{ data: object }>(`/api/price-lists/${iqd!.pricebook_id}`)).data).toMatchObject({ is_default: false })
  expect((await read<{ data: object }>(`/api/price-lists/${old!.pricebook_id}`)).data).toMatchObject({ status: 'inactive' })
  expect((await zinc.call('/api/price-lists/1')).status).toBe(404)

  const [first, second] = zinc.zoho.items()
  const rateOf = (list: SimulatedPriceBook, itemId: string) => String(list.rates.find(({ item_id }) => item_id === itemId)!.rate)
  const nickel = (rate: number) => String(Math.round(Number((rate * 0.875 * 20).toFixed(6))) / 20)
  expect(await pricesOf(first!.item_id)).toEqual([
    { price_list_id: partners!.pricebook_id, name: 'Partners', type: 'sales', currency: 'USD', price: rateOf(partners!, first!.item_id) },
    { price_list_id: wholesale!.pricebook_id, name: 'Wholesale', type: 'sales', currency: 'USD', price: nickel(first!.rate) },
  ])
  const record = (await read<{ data: Product }>(`/api/products/zoho:${second!.item_id}`)).data
  expect(record.prices.map(({ name, currency, price }) => [name, currency, price])).toEqual([
    ['Retail IQD', 'IQD', rateOf(iqd!, second!.item_id)],
    ['Wholesale', 'USD', nickel(second!.rate)],
  ])
  const third = zinc.zoho.items()[2]!
  expect((await pricesOf(third.item_id)).at(-1)).toMatchObject({
    name: 'Supplier',
    type: 'purchase',
    price: rateOf(supplier!, third.item_id),
  })

  const inList = await read<ProductsResponse>(`/api/products?price_list_id=${partners!.pricebook_id}`)
  expect(inList.data.map(({ zoho_item_id }) => zoho_item_id).sort()).toEqual(partners!.rates.map(({ item_id }) => item_id).sort())
  const exported = await read<{ zoho_item_id: string; prices: Price[] }[]>('/api/settings/integrations/zoho/export?format=json')
  expect(exported.find(({ zoho_item_id }) => zoho_item_id === second!.item_id)!.prices).toEqual(record.prices)
})

test('prices by quantity have no single price, and each of them is rounded as the list says', async () => {
  const items = zinc.zoho.items()
  const [partners] = zinc.zoho.priceBooks.all()
  partners!.rounding_type = 'round_to_dollar_minus_01'
  partners!.rates = [
    {
      item_id: items[0]!.item_id,
      rate: '',
      brackets: [
        { start: 10, end: 19, rate: 7.5 },
        { start: 20, end: '', rate: 6.49 },
      ],
    },
    { item_id: items[1]!.item_id, rate: '' },
  ]
  zinc.zoho.priceBooks.replaceAll([partners!])
  await readLists()
  expect(await pricesOf(items[0]!.item_id)).toMatchObject([
    {
      price: null,
      brackets: [
        { from: '10', to: '19', price: '7.99' },
        { from: '20', to: null, price: '5.99' },
      ],
    },
  ])
  // On the list without a price.
  expect(await pricesOf(items[1]!.item_id)).toEqual([])
  const { db } = zinc.services
  expect(await db.$queryRaw`select price_list, price, brackets from erp.product_price`).toEqual([
    {
      price_list: 'Partners',
      price: null,
      brackets: [
        { from: '10', to: '19', price: '7.99' },
        { from: '20', to: null, price: '5.99' },
      ],
    },
  ])
})

longTest('an edited rate that moves no time is found at the age of a day, or when a person asks', async () => {
  const { db } = zinc.services
  await fullSync()
  const [partners] = zinc.zoho.priceBooks.all()
  const [item] = zinc.zoho.items()
  const price = async () => (await pricesOf(item!.item_id))[0]!.price
  zinc.zoho.priceBooks.setRate(partners!.pricebook_id, item!.item_id, { rate: 1.25 })
  await fullSync()
  const second = (await runsOf('price_lists'))[1]!
  expect(await callsOf({ run_id: second.id })).toBe(1)
  expect(await price()).not.toBe('1.25')
  // As a day later.
  await db.priceList.updateMany({ where: { read_at: { not: null } }, data: { read_at: new Date(Date.now() - 21 * 3_600_000) } })
  await fullSync()
  expect(await callsOf({ run_id: (await runsOf('price_lists'))[2]!.id })).toBe(5)
  expect(await price()).toBe('1.25')

  zinc.zoho.priceBooks.setRate(partners!.pricebook_id, item!.item_id, { rate: 1.75 })
  expect((await readLists()).statistics).toMatchObject({ api_calls: 5, updated: 1, unchanged: 4, rates_changed: 1 })
  expect(await price()).toBe('1.75')
  // A list whose time moved is read whatever its age.
  zinc.zoho.toggles.rateTouchesList = true
  zinc.zoho.advance(60_000)
  zinc.zoho.priceBooks.setRate(partners!.pricebook_id, item!.item_id, null)
  expect((await readLists('&mode=incremental')).statistics).toMatchObject({ api_calls: 2, rates_changed: 1 })
  expect((await pricesOf(item!.item_id)).map(({ name }) => name)).not.toContain('Partners')
})

test('a detail without its items, an unreadable rate and a short list take no price away', async () => {
  await readLists()
  const { db } = zinc.services
  const before = await db.priceListRate.count()
  const [partners] = zinc.zoho.priceBooks.all()
  zinc.zoho.toggles.priceBookItems = 'absent'
  const absent = await readLists()
  expect(absent.errors.map(({ code }) => code)).toEqual(Array(3).fill('price_list_without_items'))
  expect(await db.priceListRate.count()).toBe(before)
  zinc.zoho.toggles.priceBookItems = 'list'
  // Asked again at the next occasion, however short the time.
  expect((await readLists('&mode=incremental')).statistics).toMatchObject({ api_calls: 4, rates_changed: 0 })

  const [kept, other] = partners!.rates
  zinc.zoho.fail({
    path: new RegExp(`pricebooks/${partners!.pricebook_id}`),
    times: 1,
    body: JSON.stringify({
      code: 0,
      pricebook: {
        pricebook_id: partners!.pricebook_id,
        pricebook_items: [{ item_id: kept!.item_id, pricebook_rate: 'a lot' }, { item_id: other!.item_id, pricebook_rate: '3.5' }, {}],
      },
    }),
  })
  const unreadable = await readLists()
  expect(unreadable.errors).toMatchObject([{ code: 'invalid_price_list', message: expect.stringContaining(kept!.item_id) }])
  expect(await db.priceListRate.count()).toBe(before)
  expect((await pricesOf(kept!.item_id))[0]!.price).toBe(String(kept!.rate))
  expect((await pricesOf(other!.item_id))[0]!.price).toBe('3.5')

  zinc.zoho.fail({ path: /pricebooks\?/, times: 1, body: '{"code":0,"pricebooks":[],"page_context":{"has_more_page":false}}' })
  expect((await readLists()).statistics).toMatchObject({ total: 0, removed: 0 })
  expect(await db.priceList.count()).toBe(5)
})

test('a removed list and an inactive one give no more prices, and an inactive one that returns is read', async () => {
  await readLists()
  const [partners, iqd] = zinc.zoho.priceBooks.all()
  const [item, other] = zinc.zoho.items()
  zinc.zoho.priceBooks.edit(partners!.pricebook_id, { status: 'inactive' })
  zinc.zoho.priceBooks.remove(iqd!.pricebook_id)
  expect((await readLists()).statistics).toMatchObject({ removed: 1 })
  expect((await pricesOf(item!.item_id)).map(({ name }) => name)).toEqual(['Wholesale'])
  expect((await pricesOf(other!.item_id)).map(({ name }) => name)).toEqual(['Wholesale'])
  zinc.zoho.priceBooks.setRate(partners!.pricebook_id, item!.item_id, { rate: 2 })
  zinc.zoho.priceBooks.edit(partners!.pricebook_id, { status: 'active' })
  await readLists('&mode=incremental')
  expect((await pricesOf(item!.item_id))[0]).toMatchObject({ name: 'Partners', price: '2' })
})

test('an unknown rounding gives no price and a note in the run, until it is known', async () => {
  const [item] = zinc.zoho.items()
  const wholesale = zinc.zoho.priceBooks.all()[2]!
  wholesale.rounding_type = 'round_to_moon'
  const noted = await readLists()
  expect(noted).toMatchObject({
    status: 'success',
    errors: [{ code: 'unknown_rounding', message: expect.stringContaining('round_to_moon') }],
  })
  expect((await pricesOf(item!.item_id)).map(({ name }) => name)).toEqual(['Partners'])
  zinc.zoho.priceBooks.edit(wholesale.pricebook_id, { rounding_type: 'round_to_dollar' })
  expect((await readLists()).errors).toEqual([])
  expect(await zinc.services.db.failure.count({ where: { resolved_at: null } })).toBe(0)
})

test('a price that moves is a change of the product, also where its own row did not move', async () => {
  const { db } = zinc.services
  await readLists()
  const changes = async (cursor: string) => {
    const page = await read<{ data: { zoho_item_id: string; changed_fields: string[] }[]; next_cursor: string }>(
      `/api/products/changes?cursor=${cursor}`,
    )
    return { changed: page.data.map((change) => [change.zoho_item_id, change.changed_fields] as const), cursor: page.next_cursor }
  }
  const [partners, , wholesale, , old] = zinc.zoho.priceBooks.all()
  const [item] = zinc.zoho.items()
  const start = (await changes('latest')).cursor
  await db.webhookEndpoint.create({ data: { url: 'https://erp.example/hook', events: ['*'], secret: 'fake' } })

  zinc.zoho.priceBooks.setRate(partners!.pricebook_id, item!.item_id, { rate: 1.25 })
  zinc.zoho.priceBooks.setRate(old!.pricebook_id, item!.item_id, { rate: 1.25 })
  await readLists()
  const one = await changes(start)
  expect(one.changed).toEqual([[item!.item_id, ['prices']]])
  expect(await db.webhookDelivery.findMany({ where: { product_id: { not: null } }, select: { type: true, fields: true } })).toEqual([
    { type: 'product.price_changed', fields: ['prices'] },
  ])
  // Nothing moved: nothing is told.
  await readLists()
  expect((await changes(one.cursor)).changed).toEqual([])

  zinc.zoho.priceBooks.edit(wholesale!.pricebook_id, { percentage: 20 })
  await readLists()
  const all = await changes(one.cursor)
  expect(all.changed).toHaveLength(12)
  expect(new Set(all.changed.flatMap(([, fields]) => fields))).toEqual(new Set(['prices']))

  await db.product.update({ where: { zoho_item_id: item!.item_id }, data: { selling_price: 100 } })
  const follows = await changes(all.cursor)
  expect(follows.changed).toEqual([[item!.item_id, ['prices', 'selling_price']]])
  expect((await pricesOf(item!.item_id)).at(-1)!.price).toBe('80')

  // What the list had a price for until now moves, too.
  await db.product.update({ where: { zoho_item_id: item!.item_id }, data: { cost_price: null } })
  const blank = await changes(follows.cursor)
  zinc.zoho.priceBooks.edit(wholesale!.pricebook_id, { sales_or_purchase_type: 'purchases' })
  await readLists()
  const purchases = await changes(blank.cursor)
  expect(purchases.changed).toContainEqual([item!.item_id, ['prices']])

  zinc.zoho.priceBooks.remove(partners!.pricebook_id)
  await readLists()
  expect((await changes(purchases.cursor)).changed.map(([id]) => id).sort()).toEqual(partners!.rates.map(({ item_id }) => item_id).sort())
})

longTest('an organization without price lists costs one call a day, however often everything is synced', async () => {
  const { db } = zinc.services
  zinc.zoho.priceBooks.replaceAll([])
  for (let n = 0; n < 3; n++) {
    await fullSync()
  }
  expect(await callsOf({ job: 'price_lists' })).toBe(1)
  expect(await callsOf({ job: 'groups' })).toBe(0)
  await db.watermark.update({ where: { name: 'price_lists' }, data: { succeeded_at: new Date(Date.now() - 21 * 3_600_000) } })
  await fullSync()
  expect(await callsOf({ job: 'price_lists' })).toBe(2)
  // A zero in the coverage: nothing can be missing from no list.
  expect((await request(zinc, 'GET', '/coverage')).body.data.not_in_price_list).toBe(0)
})

test('coverage names products that no active list has a price for', async () => {
  const items = zinc.zoho.items()
  const priceBooks = zinc.zoho.priceBooks.all().slice(0, 2)
  zinc.zoho.priceBooks.replaceAll(priceBooks)
  await readLists()
  const listed = new Set(priceBooks.flatMap(({ rates }) => rates.map(({ item_id }) => item_id)))
  const without = items.map(({ item_id }) => item_id).filter((id) => !listed.has(id))
  expect(without.length).toBeGreaterThan(0)
  expect((await request(zinc, 'GET', '/coverage')).body.data.not_in_price_list).toBe(without.length)
  const found = await read<ProductsResponse>('/api/products?coverage=not_in_price_list')
  expect(found.data.map(({ zoho_item_id }) => zoho_item_id).sort()).toEqual(without.sort())
})

longTest('a plan counts the calls of the runs that follow, and so does the forecast', async () => {
  const plan = async () => (await request(zinc, 'POST', '/sync/item/plan?mode=full')).body.data.calls
  // What lists there are is not known before the first look.
  expect(await plan()).toMatchObject({ list: 1, price_lists: 1, groups: 0, total: 2 })
  await fullSync()
  expect(await plan()).toMatchObject({ list: 1, price_lists: 1, groups: 0, total: 2 })
  await zinc.services.db.priceList.updateMany({ data: { read_at: null } })
  expect(await plan()).toMatchObject({ price_lists: 5, total: 6 })
  expect((await request(zinc, 'POST', '/sync/item/plan')).body.data.calls).toMatchObject({ price_lists: 0, total: 1 })
  const { body } = await request(zinc, 'GET', '/quota')
  expect(body.data.purposes.find((it: { purpose: string }) => it.purpose === 'price_lists').used).toBe(5)
})

test('only= belongs to Zoho Inventory, and other values are refused', async () => {
  expect((await request(zinc, 'POST', '/modules/crm/sync?only=groups')).body).toMatchObject({ code: 'invalid_sync_part' })
  expect((await request(zinc, 'POST', '/modules/inventory/sync?only=everything')).status).toBe(400)
})

test('where Zoho has no price lists at all, the run ends without a failure', async () => {
  zinc.zoho.fail({ path: /pricebooks\?/, times: 9, status: 404, body: '{"code":5,"message":"We couldnt find any resource"}' })
  expect(await readLists()).toMatchObject({ status: 'success', statistics: { total: 0 } })
})

longTest('2,221 items with nine price lists cost ten calls, and one a sync while nothing moves', async () => {
  const items = createSeed({ count: 2_221 })
  const lists = createPriceBooks(items)
  const nine = [...lists, ...lists.slice(0, 4)].map((list, n) => ({
    ...list,
    pricebook_id: `46000000000079000${n}`,
    status: 'active' as const,
    type: 'per_item' as const,
  }))
  const big = await startZinc({ items, priceBooks: nine })
  await fullSync(big)
  expect(await callsOf({ job: 'price_lists' }, big)).toBe(10)
  await fullSync(big)
  expect(await callsOf({ job: 'price_lists' }, big)).toBe(11)
})
