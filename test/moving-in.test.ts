import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import sharp from 'sharp'
import { expect, onTestFinished, test } from 'vitest'
import { importStores } from '../src/cli/store-import.ts'
import { IMAGES_IMPORT } from '../src/images/import/import-run.ts'
import { claimImport, stageFolder } from '../src/images/import/imports.ts'
import { readProductMap } from '../src/images/import/product-map.ts'
import { parseCsv } from '../src/lib/parse-csv.ts'
import { importSessions } from '../src/pulls/import/import-sessions.ts'
import { SYSTEM_ACTOR } from '../src/settings/audit-log.ts'
import { importZohoConfig, readZohoConfig } from '../src/settings/zoho-config-file.ts'
import { ITEM_SYNC } from '../src/sync/items/item-sync-run.ts'
import { createSeed, seeded } from '../src/zoho-simulator/seed.ts'
import { FAKE_CREDENTIALS } from '../src/zoho-simulator/simulator.ts'
import { puller } from './helpers/edge-folder.ts'
import { openFaultProxy } from './helpers/fault-proxy.ts'
import { smallImage } from './helpers/images.ts'
import { longTest } from './helpers/long.ts'
import { oldWorld, writeImporterData, writePullerData } from './helpers/predecessors.ts'
import { startS3Server } from './helpers/s3-server.ts'
import { createTestStore } from './helpers/test-shop.ts'
import { startZinc, type TestZinc } from './helpers/zinc.ts'

/** The routes of docs/moving-in.md, one for each predecessor, over made-up data of its shape. */

const signal = new AbortController().signal
const SMALL = 30
const WHOLE = 2_204
const NO_CREDENTIALS = { ZOHO_CLIENT_ID: '', ZOHO_CLIENT_SECRET: '', ZOHO_REFRESH_TOKEN: '', ZOHO_ORGANIZATION_ID: '' }

/** Names, sizes, times and hashes of everything below a folder: what a move must not change. */
async function stateOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).sort()
  return Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs, mode } = await stat(join(folder, name))
      const bytes = await readFile(join(folder, name)).catch(() => Buffer.alloc(0))
      return `${name} ${size} ${mtimeMs} ${mode} ${createHash('sha256').update(bytes).digest('hex')}`
    }),
  )
}

async function finished({ services: { runs } }: TestZinc, kind: string, params: object) {
  const { run_id } = await runs.start(kind, params as never, { startedBy: 'test' })
  const run = await runs.wait(run_id, AbortSignal.timeout(170_000))
  return { state: run.state, statistics: run.statistics as Record<string, number> }
}

/** Calls to Zoho that the work made. */
async function callsOf(zinc: TestZinc, work: () => Promise<unknown>) {
  const before = { ...zinc.zoho.counters }
  await work()
  const { list, details, images } = zinc.zoho.counters
  return { list: list - before.list, details: details - before.details, images: images - before.images }
}

async function moveFromImporter(count: number): Promise<void> {
  const zinc = await startZinc({ items: createSeed({ count }), imageOf: smallImage })
  const old = await oldWorld()
  const { file, records } = await writeImporterData(old, zinc.zoho, { byId: true })
  const withImage = records.filter((it) => it.image_path !== null).length
  const before = await stateOf(old)

  const imported = await callsOf(zinc, async () => {
    const taken = await finished(zinc, ITEM_SYNC, { source: 'file', path: file })
    expect([taken.state, taken.statistics.new, taken.statistics.images_taken]).toEqual(['success', count, withImage])
  })
  expect(imported).toEqual({ list: 0, details: 0, images: 0 })
  const photos = () =>
    zinc.services.db.photo.findMany({ where: { deleted_at: null }, select: { id: true, sha256: true }, orderBy: { id: 'asc' } })
  const held = await photos()

  const first = await callsOf(zinc, async () => expect((await zinc.sync('?sync_images=true')).status).toBe('success'))
  expect(first.list).toBeLessThanOrEqual(Math.ceil(count / 199) + 1)
  expect([first.details, first.images]).toEqual([0, withImage])
  expect(await photos()).toEqual(held)
  expect(await callsOf(zinc, () => zinc.sync('?sync_images=true'))).toEqual({ list: 1, details: 0, images: 0 })
  expect(await zinc.services.db.product.count({ where: { origin: 'zoho', deleted_at: null } })).toBe(count)
  expect(await stateOf(old)).toEqual(before)
}

test('from the ERP importer: items and images first, then one full sync, then one call a time', () => moveFromImporter(SMALL))
longTest('from the ERP importer, with 2,204 items', () => moveFromImporter(WHOLE))

test('from a settings file: connection and modules, and then a sync', async () => {
  const zinc = await startZinc({ environment: NO_CREDENTIALS, items: createSeed({ count: 5 }) })
  const old = await oldWorld()
  const file = join(old, 'zoho_config.json')
  await writeFile(
    file,
    JSON.stringify({
      enabled: true,
      client_id: FAKE_CREDENTIALS.clientId,
      client_secret: FAKE_CREDENTIALS.clientSecret,
      refresh_token: FAKE_CREDENTIALS.refreshToken,
      organization_id: zinc.environment.ZOHO_ORGANIZATION_ID || '460000001',
      modules: [
        { name: 'Zoho CRM', enabled: false, last_sync: '2025-11-01T00:00:00' },
        { name: 'Zoho Inventory', enabled: true },
      ],
    }),
  )
  const before = await stateOf(old)
  const { connect, modules, db } = zinc.services
  const read = await readZohoConfig(file)
  const settings = async () => [await connect.settings.effective(), await modules.list(), await db.auditEntry.count()]
  const unchanged = await settings()
  const planned = await importZohoConfig(read, { settings: connect.settings, actor: SYSTEM_ACTOR, dryRun: true })
  expect(await settings()).toEqual(unchanged)
  const { changed, left } = await importZohoConfig(read, { settings: connect.settings, actor: SYSTEM_ACTOR })
  expect([planned.changed, planned.left]).toEqual([changed, left])

  expect(changed).toEqual(expect.arrayContaining(['client_id', 'client_secret', 'refresh_token', 'organization_id', 'modules.crm.enabled']))
  expect(left).toEqual(['modules.Zoho CRM.last_sync'])
  expect((await modules.one('crm')).enabled).toBe(false)
  expect((await zinc.sync()).statistics.new).toBe(5)
  expect(await stateOf(old)).toEqual(before)
})

async function moveFromPuller(books: Record<string, number>): Promise<void> {
  const zinc = await startZinc({ books })
  const { db, clock, pulls } = zinc.services
  const old = await oldWorld()
  const rawJson = await writePullerData(old, zinc)
  const before = await stateOf(old)
  const calls = zinc.zoho.meter.calls

  const report = await importSessions({ db, clock, paths: pulls.paths }, rawJson, { app: 'books', dryRun: false }, signal)

  expect(report.modules.find((it) => it.module === 'invoices')).toMatchObject({ new: books.invoices, records: books.invoices })
  expect(zinc.zoho.meter.calls).toBe(calls)
  const fetched = await finished(zinc, 'pull', {})
  expect([fetched.state, fetched.statistics.new, fetched.statistics.updated]).toEqual(['success', 0, 0])
  // One page of each module's list, and of a document that the list cannot rule out none.
  expect(zinc.zoho.meter.calls - calls).toBeLessThanOrEqual(report.modules.length + 1)
  expect(await stateOf(old)).toEqual(before)
}

longTest('from the Books puller: its files become the base, and the next fetch lists only what changed', () =>
  moveFromPuller({ invoices: 40, contacts: 10, bills: 5 }),
)
longTest('from the Books puller, with 2,204 invoices', () => moveFromPuller({ invoices: WHOLE, contacts: 300, bills: 200 }))

/** About 100 KB of noise, as much as a photograph of a shop. */
function largeImage({ image_seed }: { image_seed: number }): Promise<Buffer> {
  const random = seeded(image_seed)
  const [width, height] = [300, 300]
  const pixels = Uint8Array.from({ length: width * height * 3 }, () => random() * 256)
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer()
}

async function moveFromPhotoServer(count: number): Promise<void> {
  const s3 = await startS3Server()
  onTestFinished(s3.close)
  const { STORAGE: _, S3_BUCKET: __, ...environment } = s3.environment
  const zinc = await startZinc({ items: createSeed({ count }), imageOf: largeImage, environment })
  const { imageImports, db, stores, edgeTokens } = zinc.services
  const old = await oldWorld()
  const [shopFolder, edgeFolder] = [join(old, 'shop'), await oldWorld()]
  await mkdir(shopFolder)
  const client = new S3Client({ ...s3.settings, credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } })
  onTestFinished(() => client.destroy())
  const map = ['path,sku']
  let total = 0
  const withImage = zinc.zoho.items().filter((item) => item.image_document_id !== '')
  for (const item of withImage) {
    const id = crypto.randomUUID()
    const bytes = await zinc.zoho.imageBytes(item.item_id)
    await client.send(new PutObjectCommand({ Bucket: 'pictures', Key: `products/${id}/primary.jpg`, Body: bytes }))
    await writeFile(join(shopFolder, `${id}.jpg`), bytes)
    map.push(`${id},${item.sku}`)
    total += bytes.length
  }
  await writeFile(join(old, 'map.csv'), map.join('\n'))
  const storeId = crypto.randomUUID()
  await writeFile(join(old, 'stores.csv'), `id,code,name,variant\n${storeId},BGH-01,Karrada,original\n`)
  const before = [await stateOf(old), await stateOf(s3.directory)]

  // 1. Items, one call a page. 2. Images from the bucket. 3. Stores. 4. Each shop's folder.
  const items = await callsOf(zinc, async () => expect((await zinc.sync()).status).toBe('success'))
  expect(items).toEqual({ list: expect.any(Number), details: 0, images: 0 })
  expect(items.list).toBeLessThanOrEqual(Math.ceil(count / 199) + 1)
  const rules = { map: await readProductMap(join(old, 'map.csv')), asZoho: true }
  const { id: import_id } = await stageFolder(imageImports, { bucket_url: 's3://pictures/products' }, rules)
  await claimImport(imageImports, import_id)
  expect((await finished(zinc, IMAGES_IMPORT, { import_id })).statistics).toMatchObject({ matched: withImage.length, unmatched: 0 })
  const tokens = join(await oldWorld(), 'stores.tokens.csv')
  await importStores({ db, stores, edgeTokens }, join(old, 'stores.csv'), { tokens, dryRun: false, expiresInDays: 365 })
  const [row] = parseCsv(await readFile(tokens, 'utf8')).rows
  expect(row!.values.id).toBe(storeId)
  const line = await openFaultProxy(zinc.url, {})
  onTestFinished(line.close)
  const pull = puller(createTestStore(zinc.url, { id: storeId, token: row!.values.token!, tokenId: '' }), line.url, edgeFolder)
  expect(await pull({ adoptFrom: shopFolder })).toMatchObject({ adopted: withImage.length, fetched: 0, failed: [] })

  // 5. Zoho's own bytes are compared: the same ones reach no shop again.
  const first = await callsOf(zinc, async () => expect((await zinc.sync('?sync_images=true')).status).toBe('success'))
  expect([first.details, first.images]).toEqual([0, withImage.length])
  expect(await pull()).toMatchObject({ fetched: 0, removed: 0, failed: [] })
  expect(await callsOf(zinc, () => zinc.sync('?sync_images=true'))).toEqual({ list: 1, details: 0, images: 0 })

  const share = line.bytes() / total
  if (count === WHOLE) {
    console.info(`bytes to the shop: ${line.bytes()} of ${total} (${(share * 100).toFixed(2)} %)`)
    expect(share).toBeLessThan(0.01)
  }
  // Lists and reports only, by the photo.
  expect(line.bytes()).toBeLessThan(20_000 + withImage.length * 4_000)
  expect([await stateOf(old), await stateOf(s3.directory)]).toEqual(before)
}

longTest('from the photo server: bucket, stores and shops’ folders move without sending an image again', () => moveFromPhotoServer(SMALL))
longTest('from the photo server, with 2,204 items', () => moveFromPhotoServer(WHOLE))
