import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { dumpDatabase } from '../../src/database/dump.ts'
import { restoreDatabase } from '../../src/database/restore-dump.ts'
import { pruneTombstones } from '../../src/photo-sync/prune-tombstones.ts'
import { connect } from '../helpers/connection.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { addBlobs, addProducts } from '../helpers/feed-rows.ts'
import { longTest } from '../helpers/long.ts'
import { createTestStore, startShop, type TestStore } from '../helpers/test-shop.ts'
import { startZinc } from '../helpers/zinc.ts'

const refused = async (store: TestStore, query: string) => {
  const response = await store.fetch(`/?store_id=${store.id}${query}`)
  return [response.status, ((await response.json()) as { code: string }).code]
}

test('a cursor that is altered, foreign, outdated or of another database is refused', async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 5)
  await addProducts(client, 5, { blobs: 5 })
  const store = await shop.addStore()
  const other = await shop.addStore()
  const { next_cursor: cursor } = await store.list()
  expect(await refused(other, `&cursor=${cursor}`)).toEqual([400, 'invalid_cursor'])
  for (const bad of [`${cursor.slice(0, -2)}xx`, cursor.slice(1), 'junk', 'a'.repeat(400)])
    expect(await refused(store, `&cursor=${bad}`)).toEqual([400, 'invalid_cursor'])

  // Deletions that were forgotten: who had not read them begins anew; who begins anew, or had read
  // them, notices nothing.
  const halfway = (await store.list('&limit=2')).next_cursor
  await client.query(`update photo set deleted_at = now() where id = (select id from photo order by position limit 1)`)
  await store.list()
  await client.query(`update photo set deleted_at = now() - interval '100 days' where deleted_at is not null`)
  await store.list()
  await client.query(`update photo set published_at = now() - interval '100 days' where deleted_at is not null`)
  expect(await pruneTombstones(shop.services.db, { olderThanDays: 90 })).toMatchObject({ photos: 1 })
  expect(await refused(store, `&cursor=${cursor}`)).toEqual([410, 'cursor_expired'])
  expect(await refused(store, `&cursor=${halfway}`)).toEqual([410, 'cursor_expired'])
  const fresh = await store.list('&limit=2')
  expect((await store.follow(fresh.next_cursor, '&limit=2')).photos).toHaveLength(2)

  // The same while it can still be restored; then it comes back to everybody.
  const before = (await store.list()).next_cursor
  await client.query(`update photo set deleted_at = now() where position = (select min(position) from photo)`)
  const after = (await store.follow(before)).cursor
  expect(await pruneTombstones(shop.services.db, { olderThanDays: 0 })).toMatchObject({ photos: 1 })
  expect(await pruneTombstones(shop.services.db, { olderThanDays: 0 })).toMatchObject({ photos: 0 })
  expect(await refused(store, `&cursor=${before}`)).toEqual([410, 'cursor_expired'])
  await client.query('update photo set deleted_at = null')
  expect((await store.follow(after)).photos).toHaveLength(1)

  // A photo that somebody removed from the table itself: nobody can be told, so everybody begins
  // anew.
  const { next_cursor: now } = await store.list()
  await client.query('delete from photo where position = (select max(position) from photo)')
  expect(await refused(store, `&cursor=${now}`)).toEqual([410, 'cursor_expired'])
  expect((await store.list()).total).toBe(3)
  expect((await store.digest()).count).toBe(3)
})

longTest('a dump that is restored elsewhere refuses the cursors of the first database, and shows everything', async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 8)
  await addProducts(client, 8, { blobs: 8 })
  const store = await shop.addStore()
  const { next_cursor: cursor, photos } = await store.list()
  const dir = await mkdtemp(join(tmpdir(), 'zinc-dump-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  await dumpDatabase(shop.environment.DATABASE_URL!, join(dir, 'dump'))

  const target = await createTestDatabase()
  onTestFinished(target.drop)
  const into = await connect(target.url)
  await into.query('drop schema public cascade; create schema public')
  await restoreDatabase(target.url, join(dir, 'dump'), { log: pino({ level: 'silent' }) })
  const second = await startZinc({ environment: { DATABASE_URL: target.url, DATA_DIR: shop.dataDir } })
  const there = createTestStore(second.url, store)
  expect(await refused(there, `&cursor=${cursor}`)).toEqual([410, 'epoch_changed'])
  const again = await there.list()
  expect(again.photos.map((photo) => photo.id)).toEqual(photos.map((photo) => photo.id))
  expect((await there.follow(again.next_cursor)).photos).toEqual([])
  // The first one is still itself.
  expect((await store.follow(cursor)).photos).toEqual([])
})

longTest('pages by offset never shift, and five thousand equal times lose no row', async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 50)
  await addProducts(client, 5_000, { blobs: 50 })
  const store = await shop.addStore()

  const first = await store.list('&limit=1000')
  expect(new Set(first.photos.map((photo) => photo.updated_at)).size).toBe(1)
  const byCursor = await store.follow(first.next_cursor, '&limit=700')
  expect(new Set([...first.photos, ...byCursor.photos].map((photo) => photo.id)).size).toBe(5_000)
  expect(byCursor.photos).toHaveLength(4_000)
  const since = first.photos[0]!.updated_at
  const matches = await store.list(`&since=${since}&limit=10`)
  expect(matches.total).toBe(5_000)
  const rest = await store.follow(matches.next_cursor, '&limit=1000')
  expect(new Set([...matches.photos, ...rest.photos].map((photo) => photo.id)).size).toBe(5_000)

  // Rows that go while somebody reads: what stood at an offset still stands there.
  const page = await store.list('&limit=10&offset=20')
  await client.query(`update photo set deleted_at = now() where id in (select id from photo order by position limit 15)`)
  expect((await store.list('&limit=10&offset=20')).photos.map((photo) => photo.id)).toEqual(page.photos.map((photo) => photo.id))
  expect((await store.list()).total).toBe(4_985)
  const ids = new Set<string>()
  for (let offset: number | null = 0; offset !== null; ) {
    const next = await store.list(`&limit=1000&offset=${offset}`)
    for (const photo of next.photos) ids.add(photo.id)
    offset = next.next_offset
  }
  expect(ids.size).toBe(4_985)

  const now = Date.parse((await store.list()).server_time)
  const iso = new Date(now).toISOString()
  const local = new Date(now + 3 * 3_600_000).toISOString().slice(0, -1)
  for (const text of [
    iso,
    iso.slice(0, -1),
    iso.replace('T', ' '),
    `${iso.slice(0, -1)}+00:00`,
    `${local}+03:00`,
    `${local} 03:00`,
    `${local}+0300`,
    `${iso.slice(0, -1)}123Z`,
  ])
    expect([text, (await store.list(`&since=${encodeURIComponent(text)}`)).total]).toEqual([text, 0])
  expect((await store.list(`&since=${iso.slice(0, 10)}`)).total).toBe(4_985)
  // As it stands in an address, a plus is a space.
  expect((await store.list(`&since=${local}+03:00`)).total).toBe(0)
  for (const bad of ['yesterday', '2026-02-31T00:00:00Z', '2026-13-01', '1764000000', '2026-01-01T25:00:00Z'])
    expect([bad, ...(await refused(store, `&since=${bad}`))]).toEqual([bad, 400, 'invalid_time'])
  for (const [query, field] of [
    ['&limit=0', 'limit'],
    ['&limit=1001', 'limit'],
    ['&limit=x', 'limit'],
    ['&offset=-1', 'offset'],
    ['&offset=1.5', 'offset'],
  ] as const) {
    const response = await store.fetch(`/?store_id=${store.id}${query}`)
    expect([query, response.status, ((await response.json()) as { message: string }).message]).toEqual([
      query,
      400,
      expect.stringContaining(field),
    ])
  }
})
