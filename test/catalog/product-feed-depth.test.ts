import { expect, onTestFinished, test } from 'vitest'
import { changePageQuery } from '../../src/catalog/product-changes.ts'
import { openDatabase } from '../../src/database/client.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { times } from '../helpers/long.ts'

/** The largest page: of a small one, a single level of the index would be a fifth. */
const LIMIT = 1000
const PRODUCTS = times(20_000, 1_000_000)

test('the first and the deepest page of the change feed read the same number of buffers', async () => {
  const database = await createTestDatabase()
  const db = openDatabase(database.url)
  onTestFinished(async () => {
    await db.$disconnect()
    await database.drop()
  })
  await db.$executeRaw`
    insert into product_change (product_id, seq, change, changed_at, zoho_item_id, sku, field_seqs)
    select gen_random_uuid(), n, 'upsert', now(), n::text, 'SKU-' || n, jsonb_build_object('*', n) from generate_series(1, ${PRODUCTS}::int) n`
  await db.$executeRaw`vacuum analyze product_change`
  const buffers = async (seq: number): Promise<number> => {
    const sql = changePageQuery({ seq, start: null }, { lastSeq: PRODUCTS, limit: LIMIT })
    const client = await db.$queryRawUnsafe<{ 'QUERY PLAN': { Plan: Record<string, number> }[] }[]>(
      `explain (analyze, buffers, format json) ${sql.text}`,
      ...sql.values,
    )
    const plan = client[0]!['QUERY PLAN'][0]!.Plan
    return plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!
  }
  await buffers(0)
  const [first, deepest] = [await buffers(0), await buffers(PRODUCTS - LIMIT - 1)]
  expect(first).toBeLessThan(100)
  expect(Math.abs(deepest - first) / first).toBeLessThan(0.2)
})
