import pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { createTestDatabase } from '../helpers/database.ts'
import { createRandom } from '../helpers/random.ts'

let client: pg.Client

beforeAll(async () => {
  const database = await createTestDatabase()
  client = new pg.Client(database.url)
  await client.connect()
  return async () => {
    await client.end()
    await database.drop()
  }
})

/** In millionths: the step that a price is rounded to, and what is taken off afterwards. */
const ROUNDINGS: Record<string, [step: bigint, less: bigint]> = {
  no_rounding: [1n, 0n],
  round_to_one_cent: [10_000n, 0n],
  round_to_two_cents: [20_000n, 0n],
  round_to_nickel: [50_000n, 0n],
  round_to_dime: [100_000n, 0n],
  round_to_quarter: [250_000n, 0n],
  round_to_half_dollar: [500_000n, 0n],
  round_to_dollar: [1_000_000n, 0n],
  round_to_dollar_minus_01: [1_000_000n, 10_000n],
  round_to_dollar_minus_02: [1_000_000n, 20_000n],
  round_to_dollar_minus_05: [1_000_000n, 50_000n],
  round_to_dollar_minus_11: [1_000_000n, 110_000n],
  round_to_half_dollar_minus_01: [500_000n, 10_000n],
  round_to_half_dollar_minus_05: [500_000n, 50_000n],
  round_to_dime_minus_01: [100_000n, 10_000n],
}
const MILLION = 1_000_000n
const decimal = (millionths: bigint): string => {
  const digits = String(millionths < 0n ? -millionths : millionths).padStart(7, '0')
  return `${millionths < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`
}
/** Whole numbers only: half a step away from zero is a step. */
function expected(price: bigint, percentage: bigint, [step, less]: [bigint, bigint]): string {
  const exact = price * (100n * MILLION + percentage)
  const unit = step * 100n * MILLION
  const steps = (2n * (exact < 0n ? -exact : exact) + unit) / (2n * unit)
  const rounded = (exact < 0n ? -steps : steps) * step - less
  return decimal(less > 0n && rounded < 0n ? 0n : rounded)
}

test('a percentage of a price is exact and rounded half away from zero, as whole numbers compute it', async () => {
  const random = createRandom(20_261_203)
  // Many exact halves: prices and percentages with few decimals, some of them with all six.
  const millionths = (most: number) => BigInt(Math.floor(random() * most)) * (random() < 0.7 ? 10_000n : 1n)
  const products = Array.from({ length: 150 }, (_, n) => (n === 0 ? 0n : millionths(n < 20 ? 100 : 1_000_000)))
  const lists = Object.entries({ ...ROUNDINGS }).flatMap(([rounding, how]) =>
    [0n, -12_500_000n, 35_710_000n, (random() < 0.5 ? -1n : 1n) * millionths(9_000)].map((percentage) => ({
      rounding,
      how,
      percentage,
      places: null as number | null,
    })),
  )
  for (const places of [0, 1, 2, 3])
    lists.push({ rounding: 'round_based_on_decimal', how: [10n ** BigInt(6 - places), 0n], percentage: -7_500_000n, places })
  await client.query(
    `insert into product (zoho_item_id, name, selling_price, currency) select n::text, n::text, price, 'USD' from unnest($1::numeric[]) with ordinality as t (price, n)`,
    [products.map(decimal)],
  )
  await client.query(
    `insert into price_list (id, name, type, kind, percentage, rounding, decimal_place, status)
     select n::text, n::text, 'sales', 'percentage', percentage, rounding, places, 'active' from unnest($1::numeric[], $2::text[], $3::int[]) with ordinality as t (percentage, rounding, places, n)`,
    [lists.map((list) => decimal(list.percentage)), lists.map((list) => list.rounding), lists.map((list) => list.places)],
  )
  const { rows } = await client.query<{ item: string; list: string; price: string }>(
    'select p.zoho_item_id as item, c.price_list_id as list, c.price::text from product_price c join product p on p.id = c.product_id',
  )
  expect(rows).toHaveLength(products.length * lists.length)
  const wrong = rows.flatMap(({ item, list, price }) => {
    const [of, by] = [products[Number(item) - 1]!, lists[Number(list) - 1]!]
    const right = expected(of, by.percentage, by.how)
    return price === right ? [] : [`${decimal(of)} by ${decimal(by.percentage)} ${by.rounding}: ${price} instead of ${right}`]
  })
  expect(wrong).toEqual([])
})

test('an unknown rounding, a blank price and a price in another currency give no price', async () => {
  await client.query('truncate product, price_list cascade')
  await client.query(`
    insert into product (zoho_item_id, name, selling_price, cost_price, currency) values ('blank', '', null, 5, 'USD'), ('free', '', 0, null, 'USD');
    insert into price_list (id, name, type, kind, percentage, rounding, currency, status) values
      ('sales', '', 'sales', 'percentage', 10, 'no_rounding', null, 'active'), ('purchase', '', 'purchase', 'percentage', 10, 'no_rounding', null, 'active'),
      ('foreign', '', 'sales', 'percentage', 10, 'no_rounding', 'IQD', 'active'), ('unknown', '', 'sales', 'percentage', 10, 'round_to_moon', null, 'active'),
      ('inactive', '', 'sales', 'percentage', 10, 'no_rounding', null, 'inactive'), ('percent', '', 'sales', 'percentage', null, 'no_rounding', null, 'active');
    insert into price_list (id, name, type, kind, percentage, rounding, status)
      select 'of ' || key, '', 'sales', 'percentage', 10, key, 'active' from unnest(array['${Object.keys(ROUNDINGS).join("','")}']) as key`)
  const { rows } = await client.query(
    'select p.zoho_item_id as item, c.price_list_id as list, c.price::text from product_price c join product p on p.id = c.product_id order by 1, 2',
  )
  expect(rows).toEqual([
    { item: 'blank', list: 'purchase', price: '5.500000' },
    ...Object.keys(ROUNDINGS)
      .sort()
      .map((key) => ({ item: 'free', list: `of ${key}`, price: '0.000000' })),
    { item: 'free', list: 'sales', price: '0.000000' },
  ])
})
