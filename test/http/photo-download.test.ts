import { createHash } from 'node:crypto'
import { chmod, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connect } from '../helpers/connection.ts'
import { longTest } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

const hash = (kind: string, bytes: Buffer) => createHash(kind).update(bytes).digest('hex')
const body = async (response: Response) => Buffer.from(await response.arrayBuffer())

test('a download is whole, in part, conditional or a HEAD, and always says what it is', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  // Some of the shop's names are Arabic; those have a test of their own.
  const photo = (await store.list()).photos.find(({ filename }) => /^[\w.-]+$/.test(filename))
  const { id, size, sha256, checksum } = photo!
  const whole = await store.download(id)
  const bytes = await body(whole)
  const etag = `"${sha256}"`
  const head = await store.download(id, '', { method: 'HEAD' })
  for (const name of [
    'content-type',
    'content-length',
    'content-disposition',
    'x-checksum',
    'x-checksum-sha256',
    'x-version',
    'etag',
    'accept-ranges',
    'cache-control',
    'vary',
  ])
    expect([name, head.headers.get(name)]).toEqual([name, whole.headers.get(name)])
  expect(Object.fromEntries(whole.headers)).toMatchObject({
    'content-length': String(size),
    'x-checksum': checksum,
    'x-checksum-sha256': sha256,
    'x-version': '1',
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    vary: expect.stringContaining('Authorization'),
  })
  expect((await body(head)).length).toBe(0)

  expect(whole.headers.get('content-disposition')).toBe(`attachment; filename="${photo!.filename}"`)

  const cases: [string, Record<string, string>, number, Buffer | null][] = [
    ['first byte', { range: 'bytes=0-0' }, 206, bytes.subarray(0, 1)],
    ['unit in capitals', { range: 'Bytes=0-0' }, 206, bytes.subarray(0, 1)],
    ['last byte', { range: 'bytes=-1' }, 206, bytes.subarray(size - 1)],
    ['from there', { range: `bytes=${size - 10}-` }, 206, bytes.subarray(size - 10)],
    ['past the end', { range: 'bytes=5-99999999' }, 206, bytes.subarray(5)],
    ['more than all', { range: 'bytes=-99999999' }, 206, bytes],
    ['behind the end', { range: `bytes=${size}-` }, 416, null],
    ['nothing', { range: 'bytes=-0' }, 416, null],
    ['backwards', { range: 'bytes=9-1' }, 200, bytes],
    ['two ranges', { range: 'bytes=0-1,4-5' }, 200, bytes],
    ['a thousand ranges', { range: `bytes=${Array.from({ length: 1000 }, (_, n) => `${n}-${n}`).join(',')}` }, 200, bytes],
    ['other unit', { range: 'items=0-1' }, 200, bytes],
    ['if-range hit', { range: 'bytes=2-3', 'if-range': etag }, 206, bytes.subarray(2, 4)],
    ['if-range weak', { range: 'bytes=2-3', 'if-range': `W/${etag}` }, 200, bytes],
    ['if-range old', { range: 'bytes=2-3', 'if-range': '"old"' }, 200, bytes],
    ['none-match hit', { 'if-none-match': etag }, 304, null],
    ['none-match list', { 'if-none-match': `"x", W/${etag}` }, 304, null],
    ['none-match any', { 'if-none-match': '*' }, 304, null],
    ['none-match miss', { 'if-none-match': '"x"' }, 200, bytes],
    ['none-match before range', { 'if-none-match': etag, range: 'bytes=0-0' }, 304, null],
    ['none-match before modified', { 'if-none-match': '"x"', 'if-modified-since': new Date().toUTCString() }, 200, bytes],
    ['match hit', { 'if-match': `"x", ${etag}` }, 200, bytes],
    ['match any', { 'if-match': '*', range: 'bytes=0-0' }, 206, bytes.subarray(0, 1)],
    ['match miss', { 'if-match': '"x"' }, 412, null],
    ['match is strong', { 'if-match': `W/${etag}` }, 412, null],
    ['accept is not asked', { accept: 'image/webp' }, 200, bytes],
  ]
  for (const [name, headers, status, wanted] of cases) {
    const response = await store.download(id, '', { headers })
    const got = await body(response)
    expect([name, response.status]).toEqual([name, status])
    if (wanted) expect([name, got.equals(wanted)]).toEqual([name, true])
    if (status === 416) {
      expect(response.headers.get('content-range')).toBe(`bytes */${size}`)
      expect(JSON.parse(got.toString())).toMatchObject({
        status: 'error',
        code: 'range_not_satisfiable',
        detail: { remedy: expect.any(String) },
      })
    }
    if (status === 206) expect(response.headers.get('content-range')).toMatch(new RegExp(`^bytes \\d+-\\d+/${size}$`))
    if (status === 304) expect([response.headers.get('etag'), got.length]).toEqual([etag, 0])
  }
  expect((await store.download(id, '&variant=huge')).status).toBe(400)
  expect((await store.download('nothing')).status).toBe(404)
})

longTest('a file name in Arabic arrives whole, with the ending that the bytes have', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const client = await connect(shop.environment.DATABASE_URL!)
  const [photo] = (await store.list()).photos
  await client.query('update photo set filename = $2 where id = $1', [photo!.id, 'شاي "أخضر"; rm -rf.png'])
  const response = await store.download(photo!.id)
  const header = response.headers.get('content-disposition')!
  expect(header).toMatch(/^attachment; /)
  expect(decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(header)![1]!)).toBe('شاي "أخضر"; rm -rf.jpg')
  expect((await store.list()).photos.find((it) => it.id === photo!.id)!.filename).toBe('شاي "أخضر"; rm -rf.jpg')
})

longTest('a missing or damaged variant is made again; a damaged original is never served', async () => {
  const shop = await startShop()
  const store = await shop.addStore({ variant: 'thumb' })
  const { photos } = await store.list()
  const variants = join(shop.dataDir, 'images', 'variants')
  for (const { parentPath, name } of (await readdir(variants, { recursive: true, withFileTypes: true })).filter((it) => it.isFile()))
    await rm(join(parentPath, name))
  const [disconnected, damaged, lost] = photos
  const response = await store.download(disconnected!.id)
  expect([response.status, hash('md5', await body(response))]).toEqual([200, disconnected!.checksum])
  const file = shop.services.store.localPath('variants', damaged!.sha256)!
  await writeFile(file, 'not the picture')
  expect(hash('md5', await body(await store.download(damaged!.id)))).toBe(damaged!.checksum)
  const original = shop.services.store.localPath('originals', (await listed(shop, store.id, lost!.id)).sha256)!
  await chmod(original, 0o644)
  await writeFile(original, 'not the picture')
  const refused = await store.download(lost!.id, '&variant=original')
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([404, 'image_file_damaged'])

  // Rows of variants are gone, too, as after another version of zinc: a list makes them before it
  // shows the photos.
  const client = await connect(shop.environment.DATABASE_URL!)
  await client.query('delete from variant')
  await client.query(`update photo set deleted_at = now() where id = $1`, [lost!.id])
  const again = await store.list()
  expect(again.photos.map((photo) => [photo.id, photo.checksum])).toEqual(
    photos.filter((photo) => photo !== lost).map((photo) => [photo.id, photo.checksum]),
  )
})

async function listed(shop: Awaited<ReturnType<typeof startShop>>, storeId: string, photoId: string) {
  await shop.send('PATCH', `/api/v1/stores/${storeId}`, { variant: null })
  const { data } = (await (await shop.call(`/api/v1/sync/product-photos/?store_id=${storeId}`)).json()) as {
    data: { photos: { id: string; sha256: string }[] }
  }
  await shop.send('PATCH', `/api/v1/stores/${storeId}`, { variant: 'thumb' })
  return data.photos.find((photo) => photo.id === photoId)!
}
