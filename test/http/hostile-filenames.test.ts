import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse as parseDisposition } from 'content-disposition'
import { expect } from 'vitest'
import { cleanFilename } from '../../src/images/gallery/filename.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { type Shop, startShop } from '../helpers/test-shop.ts'
import { zipOf } from '../helpers/zip.ts'

/**
 * What people, other systems and attackers call things. The NFC and NFD spellings of one word stand
 * side by side.
 */
const NAMES = [
  ...[
    '../../etc/passwd',
    '..\\..\\x',
    '/abs',
    'C:\\x',
    '\\\\srv\\s',
    'a%2f..%2fb',
    '%00',
    '%',
    '%ff',
    'CON',
    'aux.jpg',
    '.',
    '..',
    '...',
    'trailing. ',
  ],
  ...[
    "=cmd|' /C calc'!A0",
    '+1+1',
    '-2+3',
    '@SUM(A1)',
    '\t=1',
    '\r=2',
    ';rm -rf',
    '$(x)',
    '`x`',
    '#{7*7}',
    '{{7*7}}',
    "'; drop table product; --",
  ],
  ...[
    '<img src=x onerror=alert(1)>',
    '</script><script>alert(1)</script>',
    'javascript:alert(1)',
    'a".jpg',
    "a'.jpg",
    'a,b',
    'a;b',
    'a\nb',
    'a\r\nX-Evil: 1',
  ],
  ...[
    '😀👩‍👩‍👧',
    'café',
    'cafe\u0301',
    'photo\u202egpj.exe',
    'zero\u200bwidth',
    'شاي أخضر',
    '東京',
    'ﷺ',
    'Ω≈ç',
    'i̇stanbul',
    '__proto__',
    'constructor',
    'null',
    'NaN',
  ],
  ...['x'.repeat(255), 'ü'.repeat(600), ' leading', '-1.5', '1e309', '0x10', '\ufeffBOM', '\u2028line', '\u0001\u0002', 'tab\there'],
]
/** What no database keeps as text. */
const UNKEPT: [sent: string, kept: string][] = [
  ['nul\u0000byte', 'nul\ufffdbyte'],
  ['half \ud800 pair', 'half \ufffd pair'],
]

interface Product {
  id: string
  zoho_item_id: string
  name: string
  sku: string | null
  description: string | null
  custom_fields: Record<string, unknown>
  image_path: string | null
  images: { filename: string; image_url: string }[]
}

const KEPT = [...NAMES, ...UNKEPT.map(([, kept]) => kept)]
/** Longer ones fit no index; Zoho's SKUs and categories are far shorter. */
const skuOf = (name: string) => (name.length <= 500 ? name : null)
const idOf = (n: number) => String(9_000 + n)
const FIRST = createSeed({ count: 1 })[0]!
/**
 * Names in every field that has one; the first ones with pictures that have these names in Zoho.
 */
const items = () =>
  [...NAMES, ...UNKEPT.map(([sent]) => sent)].map((name, n) => ({
    ...FIRST,
    ...{ item_id: idOf(n), name, sku: name, description: name, brand: name, category: name, image_name: name },
    image_document_id: n % 3 === 0 ? String(70_000 + n) : '',
    image_seed: n,
    custom_fields: { cf_text: name, [`cf_${name}`]: 'x' },
  }))

const json = async <T>(response: Promise<Response>) => (await (await response).json()) as T
const productsOf = async (shop: Shop) => (await json<{ data: Product[] }>(shop.call('/api/products?limit=500'))).data

/** The cells of a CSV (RFC 4180). */
function cellsOf(csv: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (end === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

longTest('names of every kind stay text in the catalogue, files, headers, tables, on disk and in a ZIP', async () => {
  const shop = await startShop({ items: items() })
  const products = new Map((await productsOf(shop)).map((it) => [it.zoho_item_id, it]))
  expect(products.size).toBe(KEPT.length)
  for (const [n, name] of KEPT.entries()) {
    const { sku, description, custom_fields, ...product } = products.get(idOf(n))!
    expect([n, product.name, sku, description, custom_fields.cf_text]).toEqual([n, name, skuOf(name), name, name])
    if (name.length > 200) continue
    const found = await json<{ data: Product }>(shop.call(`/api/products/sku:${encodeURIComponent(name)}`))
    expect([n, found.data?.zoho_item_id]).toEqual([n, idOf(n)])
  }

  // Tables: every text is there, and none that a spreadsheet would run.
  const rows = cellsOf(await (await shop.call('/api/settings/integrations/zoho/export?format=csv')).text())
  expect(rows.length).toBe(KEPT.length + 1)
  expect(rows.filter((row) => row.length !== rows[0]!.length)).toEqual([])
  const harmless = (cell: string) => !/^[=+\-@\t\r\n]/.test(cell) || /^[+-]?\d+(\.\d+)?$/.test(cell)
  expect(rows.flat().filter((cell) => !harmless(cell))).toEqual([])
  const skus = new Map(rows.map(([id, sku]) => [id, sku]))
  for (const [n, name] of KEPT.entries()) expect([skuOf(name) ?? '', `'${name}`]).toContain(skus.get(idOf(n)))

  // Files of Zoho's under these names, as edge servers get them.
  const store = await shop.addStore()
  for (const photo of (await store.list('&limit=1000')).photos) {
    const header = (await store.download(photo.id, '', { method: 'HEAD' })).headers.get('content-disposition')!
    expect([header, parseDisposition(header).parameters.filename]).toEqual([header, photo.filename])
    expect([photo.filename, /[\p{Cc}\p{Cf}/\\]/u.test(photo.filename), [...photo.filename].length <= 205]).toEqual([
      photo.filename,
      false,
      true,
    ])
  }

  // Uploads; the form writes quotes and line breaks as browsers do.
  const sent = [...KEPT].map((name) => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A'))
  const image = new Uint8Array(await drawnImage())
  const into = products.get(idOf(1))!
  for (let from = 0; from < KEPT.length; from += 10) {
    const form = new FormData()
    for (const name of KEPT.slice(from, from + 10)) form.append('file', new Blob([image]), name)
    const response = await json<{ images: Product['images'] }>(
      shop.call(`/api/products/${into.id}/images/upload`, { method: 'POST', body: form }),
    )
    expect(response.images?.map((it) => it.filename)).toEqual(sent.slice(from, from + 10).map((name) => cleanFilename(name, 'image.png')))
    for (const { image_url } of response.images) expect((await fetch(image_url)).status).toBe(200)
  }

  // Folders of a ZIP, as they are where a file system has such names, else written with %; and as a
  // Mac spells them.
  const short = [...KEPT.entries()].filter(([, name]) => name.length <= 255 && name.trim() !== '')
  const files = new Map<string, string>()
  for (const [n, name] of short) {
    const written = encodeURIComponent(name).replaceAll('.', '%2E')
    const folders = /[/\\]|^\.+$/.test(name) ? [written] : [written, name]
    for (const [m, folder] of folders.entries()) files.set(`${folder}/${m}-${n}.png`, idOf(n))
  }
  files.set(`${'شاحن'.normalize('NFD')}/1.png`, '')
  files.set('a%00b/y%00.png', '')
  files.set(`${'long/'.repeat(800)}x.png`, '')
  const archive = await zipOf(Object.fromEntries([...files.keys()].map((name) => [name, Buffer.from(image)])))
  const imported = await json<{ matched: { name: string; product_id: string }[]; unmatched: { name: string }[] }>(
    shop.call('/api/products/images/import', { method: 'POST', body: imageForm([archive], {}, 'x.zip') }),
  )
  const byId = new Map([...products.values()].map((it) => [it.id, it.zoho_item_id]))
  expect(imported.matched.map(({ name, product_id }) => [name, byId.get(product_id)]).sort()).toEqual(
    [...files].flatMap(([name, id]) => (id === '' ? [] : [[name, id]])).sort(),
  )
  expect(imported.unmatched).toHaveLength(3)

  // On disk stand ids and hashes.
  const onDisk = await readdir(join(shop.dataDir, 'images'), { recursive: true })
  expect(
    onDisk.filter((path) => !/^(item(\/9\d{3}\.\w+)?|(originals|variants|imports)(\/[0-9a-f]{2}(\/[0-9a-f]{64})?)?|[\w.-]+)$/.test(path)),
  ).toEqual([])
})

longTest('file ids that are not digits are reported, and pictures of such products survive export and import', async () => {
  const shop = await startShop({ empty: true })
  const ids = ['../../evil', 'a b.c', 'شاي/2', '..', '.hidden', '%2e%2e', 'x'.repeat(100)]
  const none = ['nul\0', 'half\ud800', 'x'.repeat(101)]
  const items = [
    ...[...ids, ...none].map((zoho_item_id, n) => ({ zoho_item_id, name: `N ${n} nul\0`, sku: `S-${n}` })),
    { zoho_item_id: '77', name: 'Long', sku: Array.from({ length: 501 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join('') },
  ]
  await mkdir(join(shop.dataDir, 'imports'), { recursive: true })
  await writeFile(join(shop.dataDir, 'imports', 'ids.json'), JSON.stringify(items))
  const synced = await shop.sync('?source=file&file=ids.json')
  expect(synced).toMatchObject({ status: 'partial', statistics: { new: 0, failed: ids.length + none.length + 1 } })
  expect(new Set(synced.errors.map((it) => it.code))).toEqual(new Set(['invalid_file_item']))
  await shop.services.db.product.createMany({ data: ids.map((zoho_item_id, n) => ({ zoho_item_id, name: `N ${n}`, sku: `S-${n}` })) })

  const products = await productsOf(shop)
  const images = new Map<string, string>()
  for (const { id, zoho_item_id } of products) {
    const body = imageForm([await drawnImage(), await drawnImage()])
    expect((await shop.call(`/api/products/${id}/images/upload`, { method: 'POST', body })).status).toBe(201)
    images.set(id, zoho_item_id)
  }
  const archive = Buffer.from(await (await shop.call('/api/settings/integrations/zoho/export?format=zip')).arrayBuffer())
  const imported = await json<{ matched: { product_id: string }[]; unmatched: object[]; unreadable: object[] }>(
    shop.call('/api/products/images/import', { method: 'POST', body: imageForm([archive], {}, 'x.zip') }),
  )
  expect([imported.unmatched, imported.unreadable]).toEqual([[], []])
  expect(imported.matched.map((it) => it.product_id).sort()).toEqual([...images.keys(), ...images.keys()].sort())
  expect((await productsOf(shop)).map((it) => it.images.length)).toEqual(products.map(() => 2))
})
