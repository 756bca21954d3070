import { createHash } from 'node:crypto'
import { extract } from 'tar-stream'
import { expect, test } from 'vitest'
import { startShop } from '../helpers/test-shop.ts'

const hash = (kind: string, bytes: Buffer) => createHash(kind).update(bytes).digest('hex')

test('a store lists its photos, downloads exactly what is listed, and reports it', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const { photos, total, has_more, next_offset, server_time } = await store.list()
  expect({ listed: photos.length, total, has_more, next_offset }).toEqual({ listed: 20, total: 20, has_more: false, next_offset: null })
  // What is left empty was not given; but only to what reads.
  const empty = await store.list('&since=&limit=&offset=&cursor=&include_deleted=')
  expect([empty.photos.map(({ id }) => id), empty.total]).toEqual([photos.map(({ id }) => id), total])
  expect((await shop.call('/api/products?search=&has_image=&cursor=&limit=')).status).toBe(200)
  const run = await shop.send('POST', '/api/settings/integrations/zoho/sync/item/execute?dry_run=')
  expect([run.status, (await store.fetch('/?store_id=')).status]).toEqual([400, 400])
  expect(Math.abs(Date.parse(server_time) - Date.now())).toBeLessThan(60_000)

  for (const photo of photos.slice(0, 3)) {
    const response = await store.download(photo.id)
    const bytes = Buffer.from(await response.arrayBuffer())
    expect([photo.size, photo.checksum, photo.sha256]).toEqual([bytes.length, hash('md5', bytes), hash('sha256', bytes)])
    expect(response.headers.get('x-checksum')).toBe(photo.checksum)
    expect(response.headers.get('content-type')).toBe(photo.content_type)
    expect(response.headers.get('etag')).toBe(`"${photo.sha256}"`)
    for (const variant of ['thumb', 'medium'] as const) {
      const small = Buffer.from(await (await store.download(photo.id, `&variant=${variant}`)).arrayBuffer())
      expect(photo.variants[variant]).toMatchObject({ size: small.length, checksum: hash('md5', small), sha256: hash('sha256', small) })
    }
  }

  const report = await store.fetch('/status/', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      store_id: store.id,
      sync_batch: [
        { photo_id: photos[0]!.id, status: 'synced', synced_at: null, error: null, version: 1 },
        { photo_id: photos[1]!.id, status: 'failed', synced_at: new Date().toISOString(), error: 'disk full' },
      ],
    }),
  })
  expect(await report.json()).toEqual({
    status: 'success',
    message: 'Sync status updated for 2 photos',
    data: { updated: 2, unknown: [] },
  })
  const fleet = (await shop.send('GET', `/api/v1/sync/stores/${store.id}`)).body.data
  expect(fleet).toMatchObject({ photos_total: 20, photos_synced: 1, photos_failed: 1, photos_behind: 19, bytes_synced: photos[0]!.size })
  expect(fleet.failing).toMatchObject([
    { photo_id: photos[1]!.id, product_id: photos[1]!.product_id, product_name: photos[1]!.product_name, error: 'disk full', attempts: 1 },
  ])
  expect(fleet.last_seen_at).not.toBeNull()
})

test('an archive holds the photos in the order asked, and names what is missing in its last entry', async () => {
  const shop = await startShop()
  const store = await shop.addStore({ variant: 'thumb' })
  const { photos } = await store.list()
  const wanted = [photos[4]!.id, '00000000-0000-4000-8000-000000000000', photos[1]!.id]
  const response = await store.fetch('/archive/', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ store_id: store.id, photo_ids: wanted, cursor: null, variant: null }),
  })
  expect(response.headers.get('content-type')).toBe('application/x-tar')
  const entries = await untar(Buffer.from(await response.arrayBuffer()))
  expect(entries.map((entry) => entry.name)).toEqual([`${photos[4]!.id}.webp`, `${photos[1]!.id}.webp`, 'errors.json'])
  expect(hash('md5', entries[0]!.bytes)).toBe(photos[4]!.checksum)
  expect(JSON.parse(entries[2]!.bytes.toString())).toMatchObject([{ photo_id: wanted[1], code: 'photo_not_found' }])
})

async function untar(bytes: Buffer): Promise<{ name: string; bytes: Buffer }[]> {
  const entries: { name: string; bytes: Buffer }[] = []
  const tar = extract()
  tar.end(bytes)
  for await (const entry of tar) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    entries.push({ name: entry.header.name, bytes: Buffer.concat(chunks) })
  }
  return entries
}
