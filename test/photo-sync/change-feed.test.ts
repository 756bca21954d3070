import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { expect } from 'vitest'
import type { SyncPhoto } from '../../src/schemas/photo-sync.ts'
import { connect } from '../helpers/connection.ts'
import { addBlobs, addProducts, fakeSha } from '../helpers/feed-rows.ts'
import { longTest, times } from '../helpers/long.ts'
import { createRandom } from '../helpers/random.ts'
import { startShop, type TestStore } from '../helpers/test-shop.ts'

const BLOBS = 60
const PRODUCTS = 40
const WRITERS = 8

/** What a mirror keeps of a photo; everything that a list entry says and a store acts on. */
type Mirror = Map<string, string>
const rowKey = ({ sha256, version, is_primary, product_sku, product_name, filename }: SyncPhoto) =>
  JSON.stringify([sha256, version, is_primary, product_sku, product_name, filename])

function apply(mirror: Mirror, photos: SyncPhoto[]): void {
  for (const photo of photos) {
    if (photo.deleted) mirror.delete(photo.id)
    else mirror.set(photo.id, rowKey(photo))
  }
}

/**
 * Writes as the parts of zinc do, by transactions that stay open for a while and commit in another
 * order than they began.
 */
async function write(url: string, seed: number, operations: number): Promise<void> {
  const random = createRandom(seed)
  const pick = (n: number) => 1 + Math.floor(random() * n)
  const client = new pg.Client(url)
  await client.connect()
  try {
    for (let n = 0; n < operations; n++) {
      await client.query('begin')
      const { rows } = await client.query<{ id: string }>(`select id from product where sku like 'P%' and zoho_item_id = $1 for update`, [
        `Z${pick(PRODUCTS)}`,
      ])
      const product = rows[0]!.id
      const kind = random()
      if (kind < 0.3)
        await client.query(`insert into photo (product_id, source, sha256, filename) values ($1, 'upload', $2, $3)`, [
          product,
          fakeSha(pick(BLOBS)),
          `added ${seed} ${n}.jpg`,
        ])
      else if (kind < 0.55)
        await client.query(
          `update photo set sha256 = $2, version = version + 1 where id = (select id from photo where product_id = $1 and deleted_at is null order by random() limit 1)`,
          [product, fakeSha(pick(BLOBS))],
        )
      else if (kind < 0.75)
        await client.query(
          `update photo set deleted_at = now(), is_primary = false where id = (select id from photo where product_id = $1 and deleted_at is null order by random() limit 1)`,
          [product],
        )
      else if (kind < 0.9) {
        await client.query('update photo set is_primary = false where product_id = $1 and is_primary', [product])
        await client.query(
          `update photo set is_primary = true where id = (select id from photo where product_id = $1 and deleted_at is null order by random() limit 1)`,
          [product],
        )
      } else await client.query(`update product set name = $2 where id = $1`, [product, `Named ${seed} ${n}`])
      // Some transactions commit long after others that began later.
      if (random() < 0.3) await pause(random() * 30)
      await client.query(random() < 0.05 ? 'rollback' : 'commit')
    }
  } finally {
    await client.end()
  }
}

async function followCursor(store: TestStore, mirror: Mirror, from: { cursor: string | null }, limit: number): Promise<void> {
  for (;;) {
    const page = await store.list(`&include_deleted=true&limit=${limit}${from.cursor === null ? '' : `&cursor=${from.cursor}`}`)
    apply(mirror, page.photos)
    from.cursor = page.next_cursor
    if (!page.has_more) return
  }
}

/**
 * As an old edge server would: pages by offset, and the time that the last (or the first) page
 * answered.
 */
async function followSince(
  store: TestStore,
  mirror: Mirror,
  from: { since: string | null },
  limit: number,
  keep: 'first' | 'last',
): Promise<void> {
  let offset = 0
  let time: string | undefined
  for (;;) {
    const page = await store.list(
      `&include_deleted=true&limit=${limit}&offset=${offset}${from.since === null ? '' : `&since=${from.since}`}`,
    )
    apply(mirror, page.photos)
    if (keep === 'last' || time === undefined) time = page.server_time
    if (!page.has_more || page.next_offset === null) break
    offset = page.next_offset
  }
  from.since = time
}

longTest('eight writers with late commits, and every mirror ends with the truth: four by cursor, four by since', async () => {
  for (let round = 0; round < times(1, 20); round++) {
    const seed = round * 1000 + 7
    const shop = await startShop({ empty: true })
    const url = shop.environment.DATABASE_URL!
    const client = await connect(url)
    // A transaction that somebody forgot, elsewhere in the cluster: it holds back nothing here.
    const forgotten = await connect(url.replace(/\/[^/]*$/, '/postgres'))
    await forgotten.query('begin; select txid_current()')
    await addBlobs(client, BLOBS)
    await addProducts(client, PRODUCTS, { blobs: BLOBS })
    const store = await shop.addStore()

    let writing = true
    const mirrors = Array.from({ length: 8 }, (_, n) => {
      const mirror: Mirror = new Map()
      const limit = [7, 20, 50, 200][n % 4]!
      const cursor = { cursor: null as string | null }
      const since = { since: null as string | null }
      const step = () =>
        n < 4 ? followCursor(store, mirror, cursor, limit) : followSince(store, mirror, since, limit, n % 2 ? 'first' : 'last')
      return { mirror, step, name: n < 4 ? `cursor ${limit}` : `since ${limit} ${n % 2 ? 'first' : 'last'}` }
    })
    const mapping = mirrors.map(async ({ step }) => {
      while (writing) await step()
      await step()
    })
    await Promise.all(Array.from({ length: WRITERS }, (_, n) => write(url, seed + n, times(40, 150))))
    writing = false
    await Promise.all(mapping)

    const { rows } = await client.query(
      `select p.id, p.sha256, p.version, p.is_primary, pr.sku, pr.name, p.filename from photo p join product pr on pr.id = p.product_id
       where p.deleted_at is null and pr.deleted_at is null order by p.id`,
    )
    const truth = new Map(
      rows.map((row) => [row.id, JSON.stringify([row.sha256, row.version, row.is_primary, row.sku, row.name, row.filename])]),
    )
    for (const { mirror, name } of mirrors) expect([name, seed, [...mirror].sort()]).toEqual([name, seed, [...truth].sort()])

    // The maintained sums say the same as a count.
    const { rows: sums } = await client.query(
      `select s.photos::int = count(p.*) as photos, s.bytes = sum(p.feed_bytes) as bytes, s.thumb_bytes = sum(p.feed_thumb_bytes) as thumbs,
         s.content = sum(p.feed_content::numeric) as content from feed_state s, photo p where p.feed_live group by s.id`,
    )
    expect(sums).toEqual([{ photos: true, bytes: true, thumbs: true, content: true }])
    expect((await store.list()).total).toBe(truth.size)
  }
})
