import { createHash } from 'node:crypto'
import { chmod, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { pauseQueue } from '../../src/images/media-jobs.ts'
import { createVariantSettings } from '../../src/images/processing/variant-settings.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'
import { renamedInZip, zipOf } from '../helpers/zip.ts'

interface Run {
  state: string
  statistics: Record<string, number>
}
interface Plan {
  matched: { name: string; product_id: string; image_id?: string }[]
  ambiguous: { name: string }[]
  unmatched: { name: string; code: string }[]
  unreadable: { name: string; code: string }[]
}
interface ProductRow {
  id: string
  sku: string
  zoho_item_id: string
  images: { sha256: string; image_source: { kind: string }; filename: string; is_primary: boolean }[]
}

let zinc: TestZinc
let products: ProductRow[]
const signal = AbortSignal.timeout(110_000)

beforeAll(async () => {
  const held = await openZinc({ environment: { MAX_IMPORT_BYTES: '60000000' }, synced: true })
  zinc = held
  products = await read<ProductRow[]>('/api/products?limit=500')
  return held.end
})

const read = async <T>(path: string): Promise<T> => ((await (await zinc.call(path)).json()) as { data: T }).data
const post = async <T>(path: string, init: RequestInit = {}): Promise<{ status: number; body: T }> => {
  const reply = await zinc.call(path, { method: 'POST', ...init })
  return { status: reply.status, body: (await reply.json()) as T }
}
const json = (body: unknown, method = 'POST'): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
async function finished(path: string, init: RequestInit = {}): Promise<Run> {
  const { status, body } = await post<{ status: string; run_id: string }>(path, init)
  expect([path, status, body.status]).toEqual([path, 202, 'queued'])
  const run = await zinc.services.runs.wait(body.run_id, signal)
  return { state: run.state, statistics: run.statistics as Record<string, number> }
}
const original = (sha256: string) => join(zinc.dataDir, 'images', 'originals', sha256.slice(0, 2), sha256)
const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

test('a ZIP named by SKU or item id is previewed, imported once, and reports its matches', async () => {
  const [a, b, c] = products.filter((it) => it.images.length === 0 && it.sku) as [ProductRow, ProductRow, ProductRow]
  const files = {
    [`shop/${a.sku}/2.png`]: await drawnImage('png'),
    [`shop/${a.sku}/10.jpg`]: await drawnImage('jpeg'),
    [`${b.sku}.webp`]: await drawnImage('webp'),
    [`${c.zoho_item_id}.gif`]: await drawnImage('gif'),
    'no-such-sku/1.png': await drawnImage('png'),
    [`${a.sku}/page.html`]: Buffer.from('<html>'),
    '__MACOSX/x/._1.png': Buffer.from('x'),
    '.DS_Store': Buffer.from('x'),
  }
  const zip = await zipOf(files)
  const names = (list: { name: string }[]) => list.map((it) => it.name).sort()
  const good = [`shop/${a.sku}/10.jpg`, `shop/${a.sku}/2.png`, `${b.sku}.webp`, `${c.zoho_item_id}.gif`].sort()

  const preview = await post<{ data: Plan & { id: string } }>('/api/products/images/import/preview', { body: imageForm([zip]) })
  expect(preview.status).toBe(201)
  expect(names(preview.body.data.matched)).toEqual(good)
  expect(names(preview.body.data.unmatched)).toEqual(['no-such-sku/1.png'])
  expect(preview.body.data.unreadable).toMatchObject([{ name: `${a.sku}/page.html`, code: 'not_an_image' }])
  expect((await read<ProductRow>(`/api/products/${a.id}`)).images).toEqual([])
  expect(await finished(`/api/products/images/import/${preview.body.data.id}`)).toMatchObject({
    state: 'partial',
    statistics: { matched: 4 },
  })
  expect((await post(`/api/products/images/import/${preview.body.data.id}`)).status).toBe(404)

  const [pa, pb, pc] = await Promise.all([a, b, c].map((it) => read<ProductRow>(`/api/products/${it.id}`)))
  expect(pa?.images.map((it) => [it.filename, it.is_primary, it.image_source.kind])).toEqual([
    ['2.png', true, 'import'],
    ['10.jpg', false, 'import'],
  ])
  expect([pb?.images.length, pc?.images.length]).toEqual([1, 1])

  const again = await post<Plan & { status: string }>('/api/products/images/import', { body: imageForm([zip]) })
  expect([again.status, names(again.body.matched), names(again.body.unmatched)]).toEqual([201, good, ['no-such-sku/1.png']])
  expect((await read<ProductRow>(`/api/products/${a.id}`)).images).toHaveLength(2)
  expect(await readdir(join(zinc.dataDir, 'images', 'tmp'))).toEqual([])
})

test('bombs, path tricks and what is no ZIP are refused, and nothing is written outside', async () => {
  const image = await drawnImage('png')
  const zip = await zipOf({ 'aaaaaaaaaaaa.png': image })
  const bomb = await zipOf(Object.fromEntries(Array.from({ length: 3 }, (_, n) => [`${n}.png`, Buffer.alloc(24 * 1024 * 1024)])))
  const huge = await zipOf({ 'huge.png': Buffer.alloc(26 * 1024 * 1024) })
  const code = async (bytes: Buffer) => {
    const { status, body } = await post<{ code?: string; unreadable?: { code: string }[] }>('/api/products/images/import', {
      body: imageForm([bytes]),
    })
    return [status, body.code ?? body.unreadable?.[0]?.code]
  }
  expect(await code(renamedInZip(zip, 'aaaaaaaaaaaa.png', '../../evil01.png'))).toEqual([400, 'unsafe_path'])
  expect(await code(renamedInZip(zip, 'aaaaaaaaaaaa.png', '/etc/evil012.png'))).toEqual([400, 'unsafe_path'])
  expect(await code(renamedInZip(zip, 'aaaaaaaaaaaa.png', '..\\..\\evil01.png'.slice(0, 16)))).toEqual([400, 'unsafe_path'])
  expect(await code(Buffer.from('PK not really'))).toEqual([400, 'not_a_zip'])
  expect(await code(zip.subarray(0, zip.length - 30))).toEqual([400, 'not_a_zip'])
  expect(await code(bomb)).toEqual([413, 'zip_too_large'])
  expect(await code(huge)).toEqual([201, 'image_too_large'])
  expect((await post('/api/products/images/import', { body: imageForm([]) })).status).toBe(400)
})

test('a scan finds lost and damaged files, and a repair fetches them from Zoho, not uploads', async () => {
  const stored = products.filter((it) => it.images.length > 0).slice(0, 4) as [ProductRow, ProductRow, ProductRow, ProductRow]
  const shas = stored.map((it) => it.images[0]!.sha256)
  await rm(original(shas[0]!))
  await chmod(original(shas[1]!), 0o644)
  await truncate(original(shas[1]!), 100)
  const flipped = await readFile(original(shas[2]!))
  flipped[flipped.length >> 1]! ^= 0xff
  await chmod(original(shas[2]!), 0o644)
  await writeFile(original(shas[2]!), flipped)
  await rm(join(zinc.dataDir, 'images', 'item', `${stored[3].zoho_item_id}.jpg`))
  const upload = await drawnImage('png')
  await post(`/api/products/${stored[3].id}/images/upload`, { body: imageForm([upload]) })
  await rm(original(sha256Of(upload)))
  const variant = await zinc.services.db.variant.findFirstOrThrow({ where: { source_sha256: shas[3]! } })
  await rm(join(zinc.dataDir, 'images', 'variants', variant.sha256.slice(0, 2), variant.sha256))

  expect(await read('/api/media/integrity')).toMatchObject({ scanned_at: null, findings: [] })
  expect((await finished('/api/media/integrity/scan')).state).toBe('partial')
  const report = await read<{
    counts: Record<string, number>
    age_ms: number
    findings: { sha256: string; repair: string; products: { id: string }[] }[]
  }>('/api/media/integrity')
  expect(report.counts).toEqual({ missing: 2, wrong_hash: 2, untracked: 0, orphan_variant: 0, missing_variant: 1 })
  expect(report.age_ms).toBeLessThan(60_000)
  expect(report.findings.find((it) => it.sha256 === shas[0])).toMatchObject({ repair: 'fetch_zoho', products: [{ id: stored[0].id }] })
  expect(await readdir(join(zinc.dataDir, 'images', 'item'))).toContain(`${stored[3].zoho_item_id}.jpg`)

  // One that is named, and nothing else.
  expect((await finished('/api/media/integrity/repair', json({ sha256: [shas[0]] }))).state).toBe('success')
  expect((await read<{ counts: object }>('/api/media/integrity')).counts).toMatchObject({ missing: 1, wrong_hash: 2, missing_variant: 1 })
  expect((await post('/api/media/integrity/repair', json({ sha256: ['x'] }))).status).toBe(400)

  expect((await finished('/api/media/integrity/repair')).state).toBe('partial')
  for (const [n, product] of stored.slice(0, 3).entries()) {
    expect(sha256Of(await readFile(original(shas[n]!)))).toBe(shas[n])
    expect(sha256Of(await readFile(join(zinc.dataDir, 'images', 'item', `${product.zoho_item_id}.jpg`)))).toBe(shas[n])
  }
  await finished('/api/media/integrity/scan')
  expect(await read('/api/media/integrity')).toMatchObject({
    counts: { missing: 1, wrong_hash: 0, missing_variant: 0 },
    findings: [{ repair: 'upload_again' }],
  })
  await post(`/api/products/${stored[3].id}/images/upload`, { body: imageForm([upload]) })
  expect((await finished('/api/media/integrity/scan')).state).toBe('success')
})

test('what a shop chose for its variants stays when a later version knows one size more', async () => {
  const { db } = zinc.services
  const value = { sizes: { thumb: 140 }, quality: { webp: 60, jpeg: 61, avif: 40 }, formats: ['webp', 'jpeg', 'avif'] }
  await db.mediaSetting.create({ data: { name: 'variants', value } })
  const shown = await createVariantSettings(db).current()
  expect(shown).toMatchObject({ ...value, sizes: { thumb: 140, medium: 600 } })
  await db.mediaSetting.delete({ where: { name: 'variants' } })
})

longTest('variants follow the settings: another size, AVIF on request, made again as a run', async () => {
  const product = products.find((it) => it.images.length > 0)!
  const shown = await read<{ recipe: string; sizes: object }>('/api/media/variants')
  expect(shown).toMatchObject({ sizes: { thumb: 200, medium: 600 }, formats: ['webp', 'jpeg'] })
  const path = `/api/data/images/item/${product.zoho_item_id}.jpg?variant=thumb`
  const facts = async (accept: string) => {
    const reply = await zinc.call(path, { headers: { accept } })
    const { format, width, height, exif } = await sharp(Buffer.from(await reply.arrayBuffer())).metadata()
    return [reply.headers.get('content-type'), format, Math.max(width, height), exif]
  }
  expect(await facts('image/avif,image/webp')).toEqual(['image/webp', 'webp', 200, undefined])
  const change = { ...shown, sizes: { thumb: 120 }, formats: ['webp', 'jpeg', 'avif'] }
  expect((await zinc.call('/api/media/variants', json(change, 'PUT'))).status).toBe(200)
  expect(await facts('image/avif,image/webp')).toEqual(['image/avif', 'heif', 120, undefined])
  expect(await facts('image/webp;q=0,image/jpeg')).toEqual(['image/jpeg', 'jpeg', 120, undefined])
  expect((await finished('/api/media/variants/regenerate', json({ which: 'missing' }))).statistics.made).toBeGreaterThan(30)
  expect((await finished('/api/media/variants/regenerate', json({ which: 'missing' }))).statistics.made).toBe(0)
  expect((await post('/api/media/variants/regenerate', json({ which: 'size' }))).status).toBe(400)
  // One size alone comes out to the byte as both did: edge servers have nothing to fetch again.
  const thumbs = () =>
    zinc.services.db.variant.findMany({
      where: { name: 'thumb' },
      select: { source_sha256: true, sha256: true },
      orderBy: [{ source_sha256: 'asc' }, { sha256: 'asc' }],
    })
  const before = await thumbs()
  expect((await finished('/api/media/variants/regenerate', json({ which: 'size', size: 'thumb' }))).statistics.made).toBeGreaterThan(10)
  expect(await thumbs()).toEqual(before)
  const storage = await read<{ kind: string; originals: { count: number }; reclaimable: { count: number } }>('/api/media/storage')
  expect(storage.kind).toBe('file')
  expect(storage.reclaimable.count).toBeGreaterThan(10)
  expect(await read('/api/media/jobs')).toMatchObject([
    { queue: 'media_regenerate', failed: 0, last_run: { state: 'success' } },
    {},
    {},
    {},
  ])
  expect((await post('/api/media/jobs/nothing/pause')).status).toBe(400)
  expect((await post('/api/media/jobs/media_integrity_scan/clear-failed')).body).toMatchObject({ data: { changed: 2 } }) // the two scans that found something
})

test('pausing a queue leaves out a run that ends at that moment, and pauses the others', async () => {
  const { db, runs } = zinc.services
  const queued = { kind: 'images_import', state: 'queued', params: {}, resumes_at: new Date(Date.now() + 3_600_000) }
  const [ending, waiting] = [await db.run.create({ data: queued }), await db.run.create({ data: queued })]
  const pause = async (id: string) => {
    if (id === ending.id) await db.run.update({ where: { id }, data: { state: 'success', finished_at: new Date() } })
    return runs.pause(id)
  }
  expect(await pauseQueue({ db, runs: { pause, resume: runs.resume } }, 'images_import')).toBe(1)
  const states = await db.run.findMany({ where: { id: { in: [ending.id, waiting.id] } }, select: { id: true, state: true } })
  expect(new Map(states.map((it) => [it.id, it.state]))).toEqual(
    new Map([
      [ending.id, 'success'],
      [waiting.id, 'paused'],
    ]),
  )
})
