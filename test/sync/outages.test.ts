import pg from 'pg'
import { expect, test } from 'vitest'
import type { Run } from '../../src/generated/client.ts'
import { SYSTEM_ACTOR } from '../../src/settings/audit-log.ts'
import { drawImage } from '../../src/zoho-simulator/draw-image.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { checkImages } from '../helpers/check-images.ts'
import { createFastClock } from '../helpers/clock.ts'
import { smallImage } from '../helpers/images.ts'
import { longTest, times } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { itemCalls, startZinc, type TestZinc } from '../helpers/zinc.ts'

const IMAGE = /\/image\?/
const LIST = /v1\/items\?/
const imagesOf = ({ zoho }: TestZinc) => zoho.items().filter((item) => item.image_document_id !== '').length

async function start({ call }: TestZinc): Promise<string> {
  const response = await call('/api/settings/integrations/zoho/sync/item/execute?sync_images=true&wait=false', { method: 'POST' })
  return ((await response.json()) as { run_id: string }).run_id
}
const stateOf = async ({ services }: TestZinc, id: string) => services.runs.get(id)

test('while Zoho does not answer the run is parked, no image is lost, and it resumes', async () => {
  const clock = createFastClock(60)
  const [count, withImage] = [times(210, 450), times(24, 60)]
  const items = createSeed({ count }).map((item, n) => (n < withImage ? item : { ...item, image_document_id: '', image_name: '' }))
  const zinc = await startZinc({ items, imageOf: smallImage, clock, now: () => clock.now().getTime() })
  zinc.zoho.fail({ path: LIST, times: 5, after: 1, status: 502, body: '<html>Bad gateway</html>', contentType: 'text/html' })
  const id = await start(zinc)
  await waitFor(async () => (await stateOf(zinc, id)).state === 'paused')
  expect(await stateOf(zinc, id)).toMatchObject({ cause: 'Zoho is not responding', statistics: { total: expect.any(Number) } })
  await waitFor(() => zinc.zoho.counters.images >= 8)
  zinc.zoho.fail({ path: IMAGE, times: 10_000, cut: 'reset' })
  await waitFor(async () => (await stateOf(zinc, id)).state === 'paused')
  zinc.zoho.clearFaults()
  expect(await zinc.services.db.failure.count()).toBe(0)
  await waitFor(async () => (await stateOf(zinc, id)).finished_at !== null)
  expect(await zinc.services.db.product.count()).toBe(count)
  expect([await zinc.services.db.photo.count(), await zinc.services.db.failure.count()]).toEqual([imagesOf(zinc), 0])
})

test('the last images of a run, unanswered because Zoho is away, wait for it and do not fail', async () => {
  const clock = createFastClock(60)
  const items = createSeed({ count: 6 })
  const zinc = await startZinc({ items, imageOf: smallImage, clock, now: () => clock.now().getTime() })
  // Every image is asked for five times before it counts as unanswered.
  zinc.zoho.fail({ path: IMAGE, times: 10_000, status: 503, body: '' })
  zinc.zoho.fail({ path: LIST, times: 10_000, after: 1, status: 503, body: '' })
  const id = await start(zinc)
  await waitFor(async () => (await stateOf(zinc, id)).state === 'paused')
  expect(await zinc.services.db.failure.count()).toBe(0)
  expect(await zinc.services.db.product.count({ where: { image_state: 'failed', image_run: { not: null } } })).toBe(0)
  zinc.zoho.clearFaults()
  await waitFor(async () => (await stateOf(zinc, id)).finished_at !== null)
  expect(await stateOf(zinc, id)).toMatchObject({ state: 'success' })
  expect([await zinc.services.db.photo.count(), await zinc.services.db.failure.count()]).toEqual([imagesOf(zinc), 0])
})

longTest('a refresh token revoked in mid-run ends it at the next step without further calls', async () => {
  const zinc = await startZinc({ items: createSeed({ count: 120 }), imageOf: smallImage })
  const id = await start(zinc)
  await waitFor(() => zinc.zoho.counters.images >= 5)
  zinc.zoho.revoke()
  await waitFor(async () => (await stateOf(zinc, id)).finished_at !== null)
  const run = await stateOf(zinc, id)
  expect(run).toMatchObject({ state: 'failed', failure_code: 'invalid_code' })
  expect(run.remedy!.length).toBeGreaterThan(20)
  expect(zinc.zoho.counters.token).toBeLessThanOrEqual(3)
  expect(await zinc.services.db.product.count({ where: { image_state: 'failed' } })).toBe(0)
})

longTest('a missing scope is not asked for again and again', async () => {
  const zinc = await startZinc({ scopes: ['ZohoInventory.settings.READ'] })
  const response = await zinc.call('/api/settings/integrations/zoho/sync/item/execute', { method: 'POST' })
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([502, 'scope_missing'])
  expect(zinc.zoho.counters.token).toBeLessThanOrEqual(2)
})

longTest('a broken transfer is repeated; a picture truncated at Zoho is kept and marked', async () => {
  const cut = new Set<string>()
  const differs = new Set<string>()
  let n = 0
  const zinc = await startZinc({
    async imageOf(item) {
      const bytes = await drawImage({ seed: item.image_seed, category: item.category })
      if (cut.has(item.item_id ?? '')) return bytes.subarray(0, Math.floor(bytes.length * 0.9))
      if (differs.has(item.item_id ?? '')) return bytes.subarray(0, bytes.length - 100 - n++)
      return bytes
    },
  })
  const [broken, damaged, odd] = zinc.zoho.items().filter((item) => item.image_document_id !== '')
  cut.add(damaged!.item_id)
  differs.add(odd!.item_id)
  zinc.zoho.fail({
    path: new RegExp(`${broken!.item_id}/image`),
    times: 2,
    cut: 'body',
    body: Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
    contentType: 'image/jpeg',
  })

  const response = await zinc.sync('?sync_images=true')

  expect(response).toMatchObject({ status: 'partial', statistics: { images_failed: 1, images_downloaded: 19 } })
  expect(response.errors).toMatchObject([{ code: 'truncated', zoho_item_id: odd!.item_id }])
  const blobOf = (id: string) =>
    zinc.services.db.photo.findFirstOrThrow({ where: { product: { zoho_item_id: id } }, include: { blob: true } })
  expect((await blobOf(damaged!.item_id)).blob.damaged).toBe(true)
  expect((await blobOf(broken!.item_id)).blob.damaged).toBe(false)
  expect(zinc.zoho.counters.perImage.get(damaged!.item_id)).toBe(2)
})

test.each((['404', '200_empty', '204'] as const).slice(0, times(1, 3)))(
  'where Zoho has no picture after all (%s), it is missing and no failure',
  async (noImage) => {
    const zinc = await startZinc({ items: createSeed({ count: 6 }), toggles: { noImage, imageType: 'missing' } })
    const [gone] = zinc.zoho.items().filter((item) => item.image_document_id !== '')
    zinc.zoho.beforePages(() => {})
    const id = gone!.item_id
    const answered = {
      '404': { status: 404, body: '{"code":1002,"message":"Image does not exist."}' },
      '200_empty': { body: '', headers: { 'content-length': '0' } },
      '204': { status: 204 },
    }[noImage]
    zinc.zoho.fail({ path: new RegExp(`${id}/image`), times: noImage === '200_empty' ? 2 : 1, ...answered })
    expect(await zinc.sync('?sync_images=true')).toMatchObject({
      status: 'success',
      statistics: { images_failed: 0, images_missing: 3, images_downloaded: 3 },
    })
    // It is not asked for again until Zoho's list names another one.
    const calls = itemCalls(zinc.zoho)
    expect(await zinc.sync('?sync_images=true')).toMatchObject({
      status: 'success',
      statistics: { images_missing: 3, images_unchanged: 3 },
    })
    expect(itemCalls(zinc.zoho)).toBe(calls + 1)
  },
)

longTest('when the disk is full the run waits with its cause and resumes when there is room', async () => {
  const clock = createFastClock(60)
  const zinc = await startZinc({ clock, now: () => clock.now().getTime() })
  const { store } = zinc.services
  const room = store.space
  store.space = async () => ({ free: 1_000, total: 10_000_000_000 })
  const id = await start(zinc)
  await waitFor(async () => (await stateOf(zinc, id)).state === 'paused')
  const run = await stateOf(zinc, id)
  expect(run.cause).toContain('storage_full')
  expect(run.resumes_at).not.toBeNull()
  expect(await zinc.services.db.product.count({ where: { image_state: 'failed' } })).toBe(0)
  expect((await zinc.call('/api/products')).status).toBe(200)
  store.space = room
  await waitFor(async () => (await stateOf(zinc, id)).finished_at !== null)
  expect(await zinc.services.db.photo.count()).toBe(imagesOf(zinc))
})

longTest('when the database drops its connections repeatedly, the run resumes without loss', async () => {
  const drops = times(4, 20)
  const zinc = await startZinc({ items: createSeed({ count: times(120, 2204) }), imageOf: smallImage })
  const url = new URL(zinc.services.databaseUrl)
  const name = url.pathname.slice(1)
  url.pathname = '/postgres'
  const admin = new pg.Client(url.href)
  await admin.connect()
  const id = await start(zinc)
  const images = imagesOf(zinc)
  for (let drop = 1; drop <= drops; drop++) {
    const enough = Math.ceil((images * drop) / (drops + 1))
    await waitFor(() => zinc.zoho.counters.images >= enough)
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  }
  await admin.end()
  await waitFor(async () => (await zinc.services.runs.get(id).catch(() => null))?.finished_at != null)
  expect(await stateOf(zinc, id)).toMatchObject({ state: 'success' })
  expect(await zinc.services.db.photo.count({ where: { deleted_at: null } })).toBe(images)
  expect(await zinc.services.db.failure.count()).toBe(0)
  expect(zinc.zoho.counters.images).toBeLessThanOrEqual(images + drops * 8)
})

longTest('syncs, pulls and list readers survive database connections that are cut again and again', async () => {
  const zinc = await startZinc({
    items: createSeed({ count: times(100, 2204) }),
    imageOf: smallImage,
    books: { invoices: 230, contacts: 40 },
  })
  const { services, zoho, call } = zinc
  const store = await services.stores.create({ code: 'A', name: 'A' }, SYSTEM_ACTOR)
  const url = new URL(services.databaseUrl)
  const name = url.pathname.slice(1)
  url.pathname = '/postgres'
  const admin = new pg.Client(url.href)
  await admin.connect()
  let cuts = 0
  let callsAtCut = 0
  const cut = async () => {
    cuts++
    callsAtCut = zoho.meter.calls
    await admin.query(
      'select pg_terminate_backend(pid) from (select pid from pg_stat_activity where datname = $1 order by random() limit 1) t',
      [name],
    )
  }
  const seen = new Set<string>()
  let cursor = ''
  /** Reads on from where it was; what is answered by 503 is asked for again. */
  const follow = async () => {
    const response = await call(`/api/v1/sync/product-photos/?store_id=${store.id}&limit=50${cursor}`)
    if (response.status === 503) return true
    expect(response.status).toBe(200)
    const { data } = (await response.json()) as { data: { photos: { id: string }[]; has_more: boolean; next_cursor: string } }
    for (const { id } of data.photos) seen.add(id)
    cursor = `&cursor=${encodeURIComponent(data.next_cursor)}`
    return data.has_more
  }
  const began = performance.now()
  do {
    const runs = [await start(zinc), (await services.pulls.start({ modules: ['invoices', 'contacts'] }, { startedBy: 'admin' })).run_id]
    for (const id of runs) {
      let run: Run | null = null
      await waitFor(async () => {
        await follow()
        // By progress and not by time: a slow machine would get nothing done between two cuts.
        if (zoho.meter.calls - callsAtCut >= 20) await cut()
        run = await stateOf(zinc, id).catch(() => null)
        return run?.finished_at != null
      })
      expect(run).toMatchObject({ state: 'success' })
    }
    // What was cut last is over.
    await waitFor(async () => (await call('/api/products')).status === 200)
  } while (performance.now() - began < times(0, 300_000))
  await admin.end()
  while (await follow());
  expect(cuts).toBeGreaterThan(3)
  expect(await services.db.failure.count()).toBe(0)
  await checkImages(zinc)
  const photos = await services.db.photo.findMany({ where: { deleted_at: null }, select: { id: true } })
  expect(photos).toHaveLength(imagesOf(zinc))
  expect(seen).toEqual(new Set(photos.map(({ id }) => id)))
  expect(zoho.counters.images).toBeLessThanOrEqual(photos.length + cuts * 8)
})
