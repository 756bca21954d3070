import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { startImageHost } from '../helpers/image-host.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

async function putFile({ dataDir }: TestZinc, name: string, content: unknown): Promise<void> {
  await mkdir(join(dataDir, 'imports'), { recursive: true })
  await writeFile(join(dataDir, 'imports', name), typeof content === 'string' ? content : JSON.stringify(content))
}

const NO_CREDENTIALS = { ZOHO_CLIENT_ID: '', ZOHO_CLIENT_SECRET: '', ZOHO_REFRESH_TOKEN: '', ZOHO_ORGANIZATION_ID: '' }
/** As in Zoho's details, the second as in older exports. */
const CUSTOM = [
  { api_name: 'cf_size', label: 'Size', value: 'L' },
  { customfield_id: '1', label: 'Shelf', value: '7' },
]
const EXECUTE = '/sync/item/execute'

test('every shape of a file is read without credentials, and its pictures are fetched once', async () => {
  const images = await startImageHost()
  const zinc = await startZinc({ environment: { ...NO_CREDENTIALS, IMAGE_URL_ALLOWLIST: images.host } })
  const { services, sync } = zinc
  const url = (seed: number) => `http://${images.host}/${seed}.jpg`
  const records = [
    // Zoho's own shape, with an id sent as a number beyond 2^53 (a text here, for JSON.stringify
    // would round it).
    {
      item_id: 'LONG',
      name: 'Cable | كابل',
      sku: '00017',
      rate: '1,234.50',
      purchase_rate: '',
      cf_colour: 'red',
      status: 'Inactive',
      custom_fields: CUSTOM,
    },
    // The flat shape.
    {
      zoho_item_id: '2',
      code: 'FLAT-2',
      name_en: 'Mouse &amp; pad',
      name_ar: 'فأرة',
      cost_price_usd: 1.1,
      selling_price_usd: '2.20',
      image_url: url(2),
    },
    {
      zoho_item_id: '3',
      sku: 'FLAT-3',
      name: 'Keyboard',
      name_ar: 'لوحة مفاتيح',
      selling_price_usd: 0,
      image_url: 'https://via.placeholder.com/300',
    },
    { zoho_item_id: '4', sku: 'FLAT-4', name: 'Filled in', description: 'half \ud83d and \0\0' },
    { zoho_item_id: '5', sku: 'FLAT-5', name: 'Not found', image_url: `http://${images.host}/missing` },
    { zoho_item_id: '6', sku: 'FLAT-6', name: 'Private', image_url: 'http://127.0.0.1:9/x.jpg' },
    { name: 'No id' },
    { zoho_item_id: '3', name: 'Keyboard', name_ar: 'لوحة مفاتيح', brand: 'Said later' },
    { zoho_item_id: '7', name: 'Bad price', rate: 'twelve' },
    { zoho_item_id: '8', name: 'Endless SKU', sku: 'x'.repeat(501) },
  ]
  await putFile(zinc, 'all_zoho_inventory_items.json', `\uFEFF${JSON.stringify(records).replace('"LONG"', '460000000000100001')}`)
  await putFile(zinc, 'image_mappings.json', { 4: url(4) })

  const first = await sync('?source=file&sync_images=true')

  expect(first.status).toBe('partial')
  expect(first.statistics).toMatchObject({
    total: 9,
    new: 6,
    failed: 3,
    images_total: 6,
    images_downloaded: 2,
    images_missing: 2,
    images_failed: 2,
  })
  expect(first.errors.map((it) => [it.stage, it.code]).sort()).toEqual([
    ['image', 'image_url_blocked'],
    ['image', 'image_url_failed'],
    ['image', 'placeholder_image'],
    ['item', 'file_item_repeated'],
    ['item', 'invalid_file_item'],
    ['item', 'invalid_file_item'],
    ['item', 'invalid_file_item'],
  ])
  const product = async (id: string) => services.db.product.findUniqueOrThrow({ where: { zoho_item_id: id } })
  expect((await product('4')).description).toBe('half \ufffd and \ufffd\ufffd')
  expect(await product('460000000000100001')).toMatchObject({
    name: 'Cable | كابل',
    name_en: 'Cable',
    name_ar: 'كابل',
    sku: '00017',
    status: 'inactive',
    cost_price: null,
    custom_fields: { cf_colour: 'red', cf_size: 'L', Shelf: '7' },
  })
  expect((await product('460000000000100001')).selling_price?.toFixed(2)).toBe('1234.50')
  expect(await product('2')).toMatchObject({
    name: 'Mouse &amp; pad',
    name_en: 'Mouse & pad',
    name_ar: 'فأرة',
    currency: 'USD',
    sku: 'FLAT-2',
  })
  expect(await product('3')).toMatchObject({ sku: 'FLAT-3', brand: 'Said later' })
  expect((await product('3')).selling_price?.toFixed()).toBe('0')
  expect((await request(zinc, 'GET', '/failures')).body.total).toBe(7)
  const shown = (await (await zinc.call('/api/products/zoho:2')).json()) as { data: { image_source: unknown; image_path: string } }
  expect(shown.data).toMatchObject({ image_source: { kind: 'url', url: url(2) }, image_path: 'images/item/2.jpg' })

  // Nothing changed: nothing is fetched again but what failed.
  images.asked.length = 0
  const second = await sync('?source=file&sync_images=true')
  expect(second.statistics).toMatchObject({
    new: 0,
    updated: 0,
    unchanged: 6,
    images_downloaded: 0,
    images_unchanged: 2,
    images_missing: 2,
    images_failed: 2,
  })
  expect(images.asked).toEqual(['/missing'])

  // Another address, or another file, is fetched; what the file does not speak of stays.
  images.asked.length = 0
  await services.db.product.update({ where: { zoho_item_id: '2' }, data: { stock_on_hand: 5, brand: 'Kept' } })
  await putFile(zinc, 'changed.json', [{ zoho_item_id: '2', code: 'FLAT-2', name_en: 'Mouse', name_ar: 'فأرة', image_url: url(22) }])
  const third = await sync('?source=file&file=changed.json&sync_images=true')
  expect(third.statistics).toMatchObject({ total: 1, updated: 1, removed: 0, images_downloaded: 1 })
  expect(images.asked).toContain('/22.jpg')
  expect(await product('2')).toMatchObject({ name_en: 'Mouse', brand: 'Kept' })
  expect(await services.db.product.count({ where: { deleted_at: null } })).toBe(6)
  expect(await services.db.photo.count({ where: { product: { zoho_item_id: '2' }, deleted_at: null } })).toBe(1)
})

longTest('a host of pictures that refuses connections, or cuts them, fails its pictures only, and the run ends', async () => {
  const cutting = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()).on('error', () => {}))
  await new Promise<void>((resolve) => cutting.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void cutting.close())
  const refusing = createServer()
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve))
  const hosts = [cutting, refusing].map((it) => `127.0.0.1:${(it.address() as AddressInfo).port}`)
  await new Promise((resolve) => refusing.close(resolve))
  const zinc = await startZinc({ environment: { ...NO_CREDENTIALS, IMAGE_URL_ALLOWLIST: hosts.join(',') } })
  const records = hosts.map((host, n) => ({ zoho_item_id: `${n}`, sku: `A-${n}`, name: 'Cable', image_url: `http://${host}/x.jpg` }))
  await putFile(zinc, 'all_zoho_inventory_items.json', records)

  const { status, errors } = await zinc.sync('?source=file&sync_images=true')

  expect([status, ...errors.map((it) => it.code)]).toEqual(['partial', 'image_url_failed', 'image_url_failed'])
})

longTest('a missing or malformed file is refused before anything is written', async () => {
  const zinc = await startZinc({ environment: NO_CREDENTIALS })
  for (const name of ['../settings/jwt.key', 'a/b.json', '.hidden', '..', 'a%5Cb.json'])
    expect(await request(zinc, 'POST', `${EXECUTE}?source=file&file=${name}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_file_name' },
    })
  const missing = await request(zinc, 'POST', `${EXECUTE}?source=file&file=none.json`)
  expect(missing).toMatchObject({ status: 404, body: { code: 'import_file_not_found', detail: { file: 'none.json' } } })
  for (const [name, text] of Object.entries({
    'cut.json': '[{"zoho_item_id":"1","name":"A"},{"zoho_it',
    'object.json': '{"rows":[{"zoho_item_id":"1","name":"A"}]}',
    'wrapped.json': '{"items":{"zoho_item_id":"1","name":"A"}}',
    'cut-wrapper.json': '{"code":0,"items":[{"zoho_item_id":"1","name":"A"}',
    'empty.json': '',
    'latin.json': Buffer.from('[{"zoho_item_id":"1","name":"caf\xe9"}]', 'latin1'),
  })) {
    await putFile(zinc, name, '')
    await writeFile(join(zinc.dataDir, 'imports', name), text)
    const response = await request(zinc, 'POST', `${EXECUTE}?source=file&file=${name}`)
    expect(response).toMatchObject({ status: 400, body: { code: 'invalid_import_file' } })
    expect(response.body.detail.remedy.length).toBeGreaterThan(10)
  }
  expect(await zinc.services.db.product.count()).toBe(0)
  expect(await request(zinc, 'POST', `${EXECUTE}?mode=full`)).toMatchObject({ status: 502, body: { code: 'not_set_up' } })
})

longTest("zinc's own export comes back as it was: JSON into an empty zinc, and once more with nothing to write", async () => {
  const items = createSeed({ count: 120 })
  items[0]!.name = ' two  blanks \u202Ertl &amp; "quotes", comma\nline '
  items[1]!.sku = '=cmd()'
  const source = await startZinc({ items })
  await source.sync()
  const text = await (await source.call('/api/settings/integrations/zoho/export?format=json')).text()
  const csv = await (await source.call('/api/settings/integrations/zoho/export?format=csv')).text()
  expect(csv.startsWith('zoho_item_id,sku,name,')).toBe(true)
  expect(csv).toContain("'=cmd()")
  expect(JSON.parse(text)).toHaveLength(120)

  const target = await startZinc({ environment: NO_CREDENTIALS })
  await putFile(target, 'export.json', text)
  expect((await target.sync('?source=file&file=export.json')).statistics).toMatchObject({ total: 120, new: 120, failed: 0 })
  const fields = {
    zoho_item_id: true,
    sku: true,
    name: true,
    name_en: true,
    name_ar: true,
    description: true,
    cost_price: true,
    selling_price: true,
    currency: true,
    stock_on_hand: true,
    status: true,
    unit: true,
    category: true,
    brand: true,
    custom_fields: true,
    zoho_modified_at: true,
    zoho_image_id: true,
    zoho_image_name: true,
  } as const
  const all = (zinc: TestZinc) => zinc.services.db.product.findMany({ select: fields, orderBy: { zoho_item_id: 'asc' } })
  expect(JSON.stringify(await all(target))).toBe(JSON.stringify(await all(source)))
  expect((await target.sync('?source=file&file=export.json')).statistics).toMatchObject({ unchanged: 120, updated: 0 })
})

test('ids shortened by a spreadsheet are refused, blanks and marks cleaned, repeated ids reported', async () => {
  const zinc = await startZinc({ environment: NO_CREDENTIALS })
  const short = ['2.60815E+17', '2,60815e+17', '9.90E+17', '26E15'].map((zoho_item_id, n) => ({
    zoho_item_id,
    sku: `X-${n}`,
    name: `Item ${n}`,
  }))
  const odd = ['990000000000000008.5', 'abc', '-7'].map((zoho_item_id, n) => ({ zoho_item_id, sku: `O-${n}`, name: `Odd ${n}` }))
  const clean = [' 990000000000000001 ', '\u200f990000000000000002\u200e', "'990000000000000003", '٩٩٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٤'].map(
    (zoho_item_id, n) => ({
      zoho_item_id,
      sku: `C-${n}`,
      name: `Clean ${n}`,
    }),
  )
  const repeated = [
    { zoho_item_id: '990000000000000007', code: 'F-7', name_en: 'first' },
    ...Array.from({ length: 250 }, (_, n) => ({ zoho_item_id: String(1_000 + n), name: `Between ${n}` })),
    { zoho_item_id: '990000000000000007', code: 'F-7', name_en: 'second' },
    { zoho_item_id: ' 990000000000000007', code: 'F-7b', name_en: 'third' },
  ]
  const records = JSON.stringify([...short, ...odd, ...clean, ...repeated])
  // Written as a number, which JSON.parse would read as another whole id.
  await putFile(zinc, 'ids.json', records.replace('"26E15"', '9.82E+14'))
  const { status, statistics, errors } = await zinc.sync('?source=file&file=ids.json')
  expect([status, statistics]).toMatchObject(['partial', { total: 262, new: 255, failed: 7 }])
  const told = errors as unknown as { code: string; message: string; sku: string | null; zoho_item_id: string | null }[]
  const of = (code: string) => told.filter((it) => it.code === code)
  expect(of('invalid_file_item').map((it) => [it.sku, it.message.includes('Excel has shortened this ID')])).toEqual([
    ...short.map((it) => [it.sku, true]),
    ...odd.map((it) => [it.sku, false]),
  ])
  expect(of('file_item_repeated').map((it) => [it.zoho_item_id, it.sku, /^Item \d+/.exec(it.message)?.[0]])).toEqual([
    ['990000000000000007', 'F-7', 'Item 263'],
    ['990000000000000007', 'F-7b', 'Item 264'],
  ])
  const ids = await zinc.services.db.product.findMany({
    where: { sku: { startsWith: 'C-' } },
    orderBy: { sku: 'asc' },
    select: { zoho_item_id: true },
  })
  expect(ids.map((it) => it.zoho_item_id)).toEqual(['990000000000000001', '990000000000000002', '990000000000000003', '990000000000000004'])
})

longTest('what programs write for nothing is blank in a file: a price, a SKU, a name, an address', async () => {
  const images = await startImageHost()
  const zinc = await startZinc({ environment: { ...NO_CREDENTIALS, IMAGE_URL_ALLOWLIST: images.host } })
  const blanks = ['None', 'N/A', 'nan', '-', 'NULL', '#N/A', ' ']
  await putFile(
    zinc,
    'none.json',
    blanks.map((blank, n) => ({
      zoho_item_id: `99000000000000000${n}`,
      code: blank,
      name_en: 'N',
      name_ar: blank,
      category: blank,
      status: blank,
      selling_price_usd: blank,
      cost_price: blank,
      currency: blank,
      image_url: blank,
    })),
  )
  // The entry that is no address costs itself only, one that is blank names no picture.
  await putFile(zinc, 'image_mappings.json', {
    '990000000000000000': `http://${images.host}/1.jpg`,
    '990000000000000001': null,
    ' 990000000000000002 ': `http://${images.host}/2.jpg`,
    '990000000000000003': { url: 'x' },
    '990000000000000004': 'nan',
    '2.6E+17': `http://${images.host}/3.jpg`,
  })
  const { status, statistics, errors } = await zinc.sync('?source=file&file=none.json&sync_images=true')
  expect([status, statistics]).toMatchObject(['partial', { total: 7, new: 7, failed: 0, images_downloaded: 2, images_missing: 5 }])
  expect(errors.map((it) => it.code)).toEqual(['bad_mapping', 'bad_mapping'])
  const rows = await zinc.services.db.product.findMany()
  for (const row of rows)
    expect(row).toMatchObject({
      sku: null,
      name: 'N',
      name_ar: null,
      category: null,
      selling_price: null,
      cost_price: null,
      status: 'active',
      currency: 'USD',
    })
})

longTest("a saved answer of Zoho's list is read like the array in it", async () => {
  const zinc = await startZinc({ environment: NO_CREDENTIALS })
  const items = [{ item_id: '990000000000000001', name: 'A', custom_fields: [] }]
  await putFile(
    zinc,
    'saved.json',
    `\uFEFF ${JSON.stringify({ code: 0, message: 'success', items, page_context: { page: 1, items: [{ item_id: '2' }] } })}`,
  )
  await putFile(zinc, 'empty.json', '{"items":[]}')
  expect((await zinc.sync('?source=file&file=saved.json')).statistics).toMatchObject({ total: 1, new: 1, failed: 0 })
  expect((await zinc.sync('?source=file&file=empty.json')).statistics).toMatchObject({ total: 0, failed: 0 })
})

test('a link in imports that leads out of it is refused, one that stays inside is followed', async () => {
  const zinc = await startZinc({ environment: NO_CREDENTIALS })
  const imports = join(zinc.dataDir, 'imports')
  const outside = join(zinc.dataDir, 'secret.json')
  await writeFile(outside, '[{"zoho_item_id":"1","name":"secret"}]')
  await putFile(zinc, 'real.json', [{ zoho_item_id: '2', name: 'inside' }])
  await symlink(outside, join(imports, 'out.json'))
  await symlink('../secret.json', join(imports, 'relative.json'))
  await symlink('out.json', join(imports, 'twice.json'))
  await symlink('real.json', join(imports, 'in.json'))
  for (const file of ['out.json', 'relative.json', 'twice.json'])
    expect(await request(zinc, 'POST', `${EXECUTE}?source=file&file=${file}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_file_name' },
    })
  expect((await zinc.sync('?source=file&file=in.json')).statistics).toMatchObject({ total: 1, new: 1 })
  await symlink(outside, join(imports, 'image_mappings.json'))
  expect(await request(zinc, 'POST', `${EXECUTE}?source=file&file=real.json`)).toMatchObject({
    status: 400,
    body: { code: 'invalid_file_name' },
  })
  expect(await zinc.services.db.product.findMany({ select: { name: true } })).toEqual([{ name: 'inside' }])
})

test('a product of a file is the ERP’s to edit, until a sync brings the item from Zoho', async () => {
  const [item] = createSeed({ count: 1 })
  const zinc = await startZinc({ items: [] })
  await putFile(zinc, 'items.json', [{ zoho_item_id: item!.item_id, name: 'From a file', sku: item!.sku, rate: '5' }])
  expect(await zinc.sync('?source=file&file=items.json')).toMatchObject({ status: 'success' })
  const path = `/api/products/zoho:${item!.item_id}`
  const patch = async (body: object) => {
    const response = await zinc.call(path, { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    return { status: response.status, body: (await response.json()) as { code?: string; data?: Record<string, unknown> } }
  }
  expect(await patch({ name_en: 'Edited here', selling_price: '7.25' })).toMatchObject({
    status: 200,
    body: { data: { name_en: 'Edited here', selling_price: '7.25', origin: 'file' } },
  })
  zinc.zoho.add(item!)
  expect(await zinc.sync('?mode=full')).toMatchObject({ status: 'success' })
  expect(await patch({ selling_price: '1' })).toMatchObject({ status: 409, body: { code: 'owned_by_zoho' } })
  const { data } = (await (await zinc.call(path)).json()) as { data: { origin: string; selling_price: string } }
  expect(data).toMatchObject({ origin: 'zoho', selling_price: Number(item!.rate).toFixed(2) })
})
