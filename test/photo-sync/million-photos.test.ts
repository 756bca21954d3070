import { expect } from 'vitest'
import { connect } from '../helpers/connection.ts'
import { addBlobs, addProducts } from '../helpers/feed-rows.ts'
import { longTest, times } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

const ROWS = times(20_000, 1_000_000)
const LOOKS = times(15, 60)

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  Plans?: Plan[]
}
const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)]

longTest(`with ${ROWS} photos a page costs the same at any depth, and no plan reads or sorts the table`, async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 1_000)
  await addProducts(client, ROWS, { blobs: 1_000 })
  const store = await shop.addStore()
  expect((await store.list('&limit=1')).total).toBe(ROWS)

  const median = async (look: (n: number) => Promise<unknown>) => {
    const took: number[] = []
    for (let n = 0; n < LOOKS; n++) {
      const began = performance.now()
      await look(n)
      took.push(performance.now() - began)
    }
    return took.sort((a, b) => a - b)[Math.floor(LOOKS / 2)]!
  }
  const deep = ROWS - 5_000
  const at = (offset: number) => (n: number) => store.list(`&limit=100&offset=${offset + n}`)
  await median(at(1_000))
  const shallowMs = await median(at(0))
  const deepMs = await median(at(deep))
  // Machines that do other work are noisy; the plans below are what holds it in the short run.
  expect(deepMs).toBeLessThan(shallowMs * times(3, 1.2))

  const { next_cursor, server_time } = await store.list('&limit=1000')
  let cursor = next_cursor
  const shallowCursorMs = await median(async () => {
    cursor = (await store.list(`&limit=100&cursor=${cursor}`)).next_cursor
  })
  const late = await store.list(`&limit=100&offset=${deep}`)
  expect(late.photos).toHaveLength(100)
  expect(shallowCursorMs).toBeLessThan(shallowMs * times(4, 1.5))
  await client.query(`update product set name = 'changed' where sku in ('P17', 'P${ROWS - 3}')`)
  expect((await store.list(`&since=${server_time}`)).photos.map((photo) => photo.product_sku).sort()).toEqual(
    ['P17', `P${ROWS - 3}`].sort(),
  )

  // The statements themselves, with the values of a deep page, right after a bulk load: the
  // statistics are as wrong as they get.
  const some = await shop.addStore({ assortment: { skus: ['P5', 'P500', `P${ROWS - 7}`] } })
  expect((await some.list()).photos.map((photo) => photo.product_sku).sort()).toEqual(['P5', 'P500', `P${ROWS - 7}`].sort())
  const { rows: seqs } = await client.query<{ seq: string }>('select max(feed_seq) - 3000 as seq from photo')
  for (const [what, sql, most] of [
    ['due', 'select (select true from photo where feed_pending or member_pending order by position + 0 limit 1) is not null', 5],
    [
      'by position',
      `select id from photo p where p.position > ${deep} and p.feed_seq is not null and p.feed_live order by p.position limit 101`,
      200,
    ],
    [
      'by change',
      `select id from photo p where p.feed_seq > ${seqs[0]!.seq} and not p.feed_pending and p.feed_live order by p.feed_seq limit 101`,
      200,
    ],
    ['since', `select count(*) from photo where published_at >= '${server_time}'`, 10],
    ['before', `select feed_seq from photo where published_at < '${server_time}' order by published_at desc, feed_seq desc limit 1`, ROWS],
  ] as const) {
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, format json) ${sql}`)
    const plan = rows[0]!['QUERY PLAN'][0].Plan
    const read = nodes(plan).filter((node) => node['Relation Name'] === 'photo')
    expect([what, nodes(plan).some((node) => node['Node Type'] === 'Seq Scan')]).toEqual([what, false])
    if (what !== 'before') expect([what, nodes(plan).some((node) => node['Node Type'] === 'Sort')]).toEqual([what, false])
    for (const node of read) expect((node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 1)).toBeLessThanOrEqual(most)
  }
})
