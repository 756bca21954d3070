import { readFileSync } from 'node:fs'
import pg from 'pg'
import { expect, test } from 'vitest'
import { ONE_LOCATION } from '../src/zoho-simulator/locations.ts'
import { createSeed } from '../src/zoho-simulator/seed.ts'
import { request } from './helpers/request.ts'
import { startZinc } from './helpers/zinc.ts'

test('the queries of the ERP guide find what they say', async () => {
  const guide = readFileSync('docs/erp.md', 'utf8')
  const queries = [...guide.matchAll(/```sql\n(.*?)```/gs)].map((match) => match[1]!)
  const items = createSeed({ count: 60 })
  const zinc = await startZinc({ items })
  await zinc.sync()
  await zinc.call('/api/products/changes?limit=1')
  const client = new pg.Client(zinc.environment.DATABASE_URL)
  await client.connect()
  const found: Record<string, string>[][] = []
  for (const sql of queries) found.push((await client.query<Record<string, string>>(sql)).rows)
  const [values, orders, variants, prices, lacking, changes] = found
  expect(values!.reduce((sum, row) => sum + Number(row.products), 0)).toBe(items.length)
  expect(orders!.map((row) => row.sku).sort()).toEqual(
    items
      .filter((item) => item.status === 'active' && item.stock !== null && item.reorder_level && item.stock <= item.reorder_level)
      .map((item) => item.sku)
      .sort(),
  )
  expect(variants!.map((row) => row.variant)).toContain(
    'Black / 1 m'.replace('1 m', items.find((item) => item.group)!.attributes![1]!.option),
  )
  expect(variants).toHaveLength(items.filter((item) => item.group).length)
  // Without price lists every item has its own price.
  expect(prices!.map((row) => Number(row.price)).sort()).toEqual(items.map(({ rate }) => rate).sort())
  expect(lacking!.length).toBe(items.length)
  expect(changes!.map((row) => Number(row.seq))).toEqual(items.map((_, n) => n + 1))

  // Stock by location is read by a run of its own.
  const oversold = items.find((item) => item.stock !== null)!
  zinc.zoho.moveStockAt(oversold.item_id, ONE_LOCATION[0]!.id, -2)
  await request(zinc, 'PUT', '/quota', { stock_percent: 10 })
  await request(zinc, 'POST', '/modules/inventory/sync?only=stock')
  const { rows } = await client.query(queries.at(-1)!)
  await client.end()
  expect(rows).toMatchObject([{ location: 'Main', sku: oversold.sku, on_hand: '-2.000000' }])
})
