import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { drawnImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { sendRawHttp } from '../helpers/raw-http.ts'
import { startZinc } from '../helpers/zinc.ts'

const SOON_MS = 10_000

longTest('malformed and oversized forms are answered soon and leave nothing; odd names become text', async () => {
  const zinc = await startZinc({ items: createSeed({ count: 3 }), environment: { MAX_UPLOAD_BYTES: '2000000' } })
  await zinc.sync()
  const { data } = (await (await zinc.call('/api/products')).json()) as { data: { id: string }[] }
  const path = `/api/products/${data[0]!.id}/images/upload`
  const image = await drawnImage()
  const form = (parts: [head: string, body: Buffer | string][], boundary = 'b') =>
    Buffer.concat([
      ...parts.flatMap(([head, body]) => [Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`), Buffer.from(body), Buffer.from('\r\n')]),
      Buffer.from(`--${boundary}--\r\n`),
    ])
  const file = (filename: string, more = '') => `Content-Disposition: form-data; name="file"; ${filename}${more}`
  const field = (name: string) => `Content-Disposition: form-data; name="${name}"`
  const send = async (body: Buffer, boundary = 'b') => {
    const began = performance.now()
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
    const response = await zinc.call(path, { method: 'POST', headers, body: new Uint8Array(body) })
    return {
      status: response.status,
      ms: performance.now() - began,
      body: (await response.json()) as { code?: string; data: { filename: string } },
    }
  }

  const refused: [string, Buffer, number[], string?][] = [
    ['a thousand tiny files', form(Array.from({ length: 1_000 }, (_, n) => [file(`filename="${n}.png"`), 'x'])), [413, 422]],
    [
      'a field of 1 MB',
      form([
        [field('alt_en'), 'x'.repeat(1_000_000)],
        [file('filename="a.png"'), image],
      ]),
      [413],
    ],
    [
      'a field name of 10 kB',
      form([
        [field('x'.repeat(10_000)), 'x'],
        [file('filename="a.png"'), image],
      ]),
      [413],
    ],
    [
      'a form in a form',
      form([[`${file('filename="a.png"')}\r\nContent-Type: multipart/mixed; boundary=c`, form([[file('filename="b.png"'), image]], 'c')]]),
      [422],
    ],
    // What the parser drops without a word: a head beyond its 80 kB, and what belongs to no part.
    ['a head of 1 MB', form([[`${file('filename="a.png"')}\r\nX-A: ${'x'.repeat(1_000_000)}`, image]]), [413]],
    ['a thousand lines in a head', form([[`${file('filename="a.png"')}\r\n${'X-A: x\r\n'.repeat(20_000)}X-B: x`, image]]), [413]],
    [
      'a part without a name, of 1 MB',
      form([
        ['Content-Type: text/plain', 'x'.repeat(1_000_000)],
        [file('filename="a.png"'), image],
      ]),
      [413],
    ],
    [
      '1 MB before the first part',
      Buffer.concat([Buffer.from(`${'x'.repeat(1_000_000)}\r\n`), form([[file('filename="a.png"'), image]])]),
      [413],
    ],
    ['1 MB behind the last part', Buffer.concat([form([[file('filename="a.png"'), image]]), Buffer.alloc(1_000_000, 'x')]), [413]],
    [
      'a description with NUL',
      form([
        [field('alt_en'), 'a\0b'],
        [file('filename="a.png"'), image],
      ]),
      [400],
    ],
    ['a line break alone in a name', form([[file('filename="a\nb.png"'), image]]), [400]],
  ]
  for (const [name, body, statuses] of refused) {
    const response = await send(body)
    expect([name, response.status, statuses.includes(response.status), response.ms < SOON_MS]).toEqual([name, response.status, true, true])
    expect([name, typeof response.body.code]).toEqual([name, 'string'])
  }
  // The parser would wait for the first part for ever, and hold one of the places that uploads
  // have.
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.alloc(64 * 1024, 'x')) })
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const response = await zinc.call(path, { method: 'POST', headers, body: endless, duplex: 'half' } as RequestInit)
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([413, 'too_many_parts'])

  expect(await zinc.services.db.photo.count()).toBe(0)
  expect(await readdir(join(zinc.dataDir, 'images', 'tmp'))).toEqual([])

  const long = 'b'.repeat(100)
  const taken: [string, string, string?][] = [
    ["filename*=UTF-8''%D8%B4%D8%A7%D9%8A.png", 'شاي.png'],
    ['filename="a%0d%0ab.png"', 'a%0d%0ab.png'],
    ['filename="../../etc/passwd"', 'passwd'],
    // A name ends where its line ends; the rest is another line of the head, which nobody reads.
    ['filename="a\r\nContent-Disposition: form-data; name="b"; filename="c.png"', 'a'],
    ['filename="a\r\n .png"', 'a .png'],
    ['filename="a.png"', 'a.png', long],
    ['filename="a.png"; filename*=UTF-8\'\'b.png', 'a.png'],
  ]
  const names = []
  for (const [filename, , boundary] of taken) {
    const { status, body } = await send(form([[file(filename), await drawnImage()]], boundary), boundary)
    names.push([status, body.data?.filename])
  }
  expect(names).toEqual(taken.map(([, name]) => [201, name]))

  for (const [bytes, status] of [
    [`TRACE ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, /^HTTP\/1\.1 40[045] /],
    [
      `GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${Array.from({ length: 2_000 }, (_, n) => `a${n}: 1\r\n`).join('')}\r\n`,
      /^HTTP\/1\.1 (200|431) /,
    ],
    [`GET /api/products HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: DELETE\r\nConnection: close\r\n\r\n`, /^HTTP\/1\.1 401 /],
  ] as const)
    expect(await sendRawHttp(zinc.url, bytes)).toMatch(status)
})
