import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { pipeline, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createUrlFetcher, fetchImageUrl, type UrlFetcher } from '../../src/images/fetch/fetch-url.ts'
import { longTest } from '../helpers/long.ts'

let server: Server
let port: number
let hits: string[] = []
/** What the server does for a path; anything else is answered with the bytes `picture`. */
const signal = AbortSignal.timeout(120_000)

beforeAll(async () => {
  server = createServer((request, reply) => {
    hits.push(request.url ?? '')
    const url = new URL(request.url ?? '/', 'http://x')
    const to = url.searchParams.get('to')
    const status = Number(url.searchParams.get('status') ?? 302)
    if (url.pathname === '/redirect') return reply.writeHead(status, { location: to ?? '' }).end()
    if (url.pathname === '/chain') {
      const left = Number(url.searchParams.get('left'))
      return left === 0 ? reply.end('picture') : reply.writeHead(302, { location: `/chain?left=${left - 1}` }).end()
    }
    if (url.pathname === '/endless') {
      // A pipeline ends with its reader; a loop of writes would go on through all later tests of
      // the worker.
      pipeline(Readable.from(endless()), reply, () => {})
      return
    }
    if (url.pathname === '/announced') return reply.writeHead(200, { 'content-length': 5_000_000_000 }).write('x')
    if (url.pathname === '/cut') return reply.writeHead(200, { 'content-length': 100 }).write('x', () => reply.destroy())
    if (url.pathname === '/gone') return reply.writeHead(404).end()
    if (url.pathname === '/stuck') return reply.writeHead(200).write('x')
    if (url.pathname === '/packed') {
      const encoding = url.searchParams.get('encoding') ?? ''
      const how = url.searchParams.get('how')
      const bytes = how === 'bomb' ? Buffer.alloc(10_000_000) : Buffer.from('picture')
      const pack =
        { deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync, identity: (it: Buffer) => it }[encoding] ?? gzipSync
      const packed = how === 'lie' ? bytes : pack(bytes)
      return reply.writeHead(200, { 'content-encoding': encoding }).end(how === 'cut' ? packed.subarray(0, -4) : packed)
    }
    reply.end('picture')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024)
}

afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  hits = []
})

/** A resolver that answers as a name server of an attacker would. */
const NAMES: Record<string, string[]> = {
  'inside.example': ['10.0.0.1'],
  'mixed.example': ['93.184.216.34', '127.0.0.1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'loop.example': ['127.0.0.1'],
  'shop.example': ['127.0.0.1'],
}
async function withFetcher<T>(options: Partial<Parameters<typeof createUrlFetcher>[0]>, work: (it: UrlFetcher) => Promise<T>): Promise<T> {
  const resolve = async (host: string) => (NAMES[host] ?? []).map((url) => ({ address: url, family: url.includes(':') ? 6 : 4 }))
  await using fetcher = createUrlFetcher({ allowlist: [], maxBytes: 1_000_000, resolve, ...options })
  return await work(fetcher)
}
const codeOf = (error: { code?: string; message: string }) => [error.code, error.message]

test('every address that is not public is refused with the same words, and nobody inside is asked', async () => {
  const own = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map((it) => (it.family === 'IPv6' ? `[${it.address}]` : it.address)),
  )
  const hosts = [
    ...[
      '127.0.0.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '127.1',
      '0',
      '0.0.0.0',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
    ],
    ...[
      '[64:ff9b::7f00:1]',
      '[64:ff9b:1::7f00:1]',
      '[2002:7f00:1::]',
      '[2001::1]',
      '[fd00::1]',
      '[fe80::1]',
      '[fec0::1]',
      '[ff02::1]',
      '[::8.8.8.8]',
    ],
    ...[
      'localhost',
      'localhost.',
      'a.localhost',
      '127。0。0。1',
      '①②⑦.⓪.⓪.①',
      'user@127.0.0.1',
      'user:word@93.184.216.34',
      '10.1.2.3',
      '172.16.0.9',
    ],
    ...['192.168.1.1', '169.254.169.254', '100.64.0.1', '192.0.0.8', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...Object.keys(NAMES).filter((name) => name !== 'shop.example'),
    ...['nowhere.example', ...own.filter((it) => !it.includes('%'))],
  ]
  const ips = [
    ...hosts.flatMap((host) => [`http://${host}/`, `http://${host}:${port}/`, `https://${host}/`]),
    ...['file:///etc/passwd', 'gopher://127.0.0.1/', 'data:image/png;base64,AAAA', 'ftp://93.184.216.34/x', 'http://', 'nothing', ''],
    ...[
      'http://93.184.216.34:22/',
      'http://93.184.216.34:5432/',
      'http://93.184.216.34:6379/',
      `http://93.184.216.34/${'a'.repeat(10_000)}`,
    ],
    `http://127.0.0.1:${port}#@93.184.216.34/`,
  ]
  const responses = await withFetcher({}, (fetcher) =>
    Promise.all(ips.map((url) => fetchImageUrl(fetcher, url, signal).then(() => ['taken', url], codeOf))),
  )
  expect(new Set(responses.map((it) => it.join('|')))).toEqual(
    new Set(['image_url_blocked|zinc is not allowed to download the image from this URL']),
  )
  expect(hits).toEqual([])
})

test('a host that is named may be fetched, and each of its redirects is checked like a first address', async () => {
  await withFetcher({ allowlist: [`127.0.0.1:${port}`, 'shop.example'] }, async (fetcher) => {
    const fetched = async (url: string) => String(await buffer((await fetchImageUrl(fetcher, url, signal)).body))
    const at = `http://127.0.0.1:${port}`
    expect(await fetched(`${at}/a`)).toBe('picture')
    expect(await fetched(`http://SHOP.example:${port}/a`)).toBe('picture')
    expect(await fetched(`${at}/chain?left=3`)).toBe('picture')
    const refused = async (url: string) => (await fetchImageUrl(fetcher, url, signal).then(() => ['taken'], codeOf))[0]
    expect(await refused(`${at}/chain?left=4`)).toBe('image_url_blocked')
    expect(await refused(`http://127.0.0.1:${port + 1}/`)).toBe('image_url_blocked')
    for (const status of [301, 302, 303, 307, 308])
      for (const to of ['http://127.0.0.1:9/', 'http://[::1]/', 'file:///etc/passwd', 'http://inside.example/', 'http://2130706433/'])
        expect([status, to, await refused(`${at}/redirect?status=${status}&to=${encodeURIComponent(to)}`)]).toEqual([
          status,
          to,
          'image_url_blocked',
        ])
  })
})

test('signed queries arrive as they were written, and names in any script are asked for', async () => {
  const asked: string[] = []
  const resolve = async (host: string) => {
    asked.push(host)
    return [{ address: '127.0.0.1', family: 4 }]
  }
  await withFetcher({ allowlist: [`127.0.0.1:${port}`, 'متجر.example'], resolve }, async (fetcher) => {
    const fetched = async (url: string) => String(await buffer((await fetchImageUrl(fetcher, url, signal)).body))
    await fetched(`http://127.0.0.1:${port}/a%2Fb?sig=x%2Fy%2Bz%3D&e=1`)
    await fetched(`http://متجر.example:${port}/idn`)
    // A line break in an address is no second header.
    await fetched(`http://127.0.0.1:${port}/line\r\nX-Evil:%201`)
    expect(hits).toEqual(['/a%2Fb?sig=x%2Fy%2Bz%3D&e=1', '/idn', '/lineX-Evil:%201'])
    expect(asked).toEqual([new URL('http://متجر.example').hostname])
    const loop = `http://127.0.0.1:${port}/redirect?to=`
    await expect(fetched(`${loop}${encodeURIComponent(loop)}`)).rejects.toMatchObject({ code: 'image_url_blocked' })
  })
})

test('sizes and times are bounded, and a broken answer is a failure with a name', async () => {
  await withFetcher({ allowlist: ['127.0.0.1'], totalMs: 1_500 }, async (fetcher) => {
    const failure = async (path: string) =>
      (
        await fetchImageUrl(fetcher, `http://127.0.0.1:${port}${path}`, signal).then(
          ({ body }) => buffer(body).then(() => ['taken'], codeOf),
          codeOf,
        )
      )[0]
    expect(await failure('/endless')).toBe('image_too_large')
    expect(await failure('/announced')).toBe('image_too_large')
    expect(await failure('/cut')).toBe('image_url_failed')
    expect(await failure('/gone')).toBe('image_url_failed')
    expect(await failure('/stuck')).toBe('image_url_failed')
  })
})

test('placeholder services are recognised, also behind a redirect', async () => {
  await withFetcher({ allowlist: ['127.0.0.1'] }, async (fetcher) => {
    for (const url of [
      'https://via.placeholder.com/600',
      'http://picsum.photos/200',
      'https://fastly.picsum.photos/id/1',
      `http://127.0.0.1:${port}/redirect?to=https://placehold.co/600`,
    ])
      await expect(fetchImageUrl(fetcher, url, signal)).rejects.toMatchObject({ code: 'placeholder_image' })
  })
})

longTest('a slow or ignorant resolver fails within seconds while others are served', async () => {
  const resolve = (host: string) => {
    if (host === 'slow.example') return new Promise<never>(() => {})
    if (host === 'unknown.example') return Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }))
    return Promise.resolve([{ address: '127.0.0.1', family: 4 }])
  }
  await withFetcher({ allowlist: ['shop.example', 'slow.example', 'unknown.example'], resolve }, async (fetcher) => {
    const began = performance.now()
    const at = (host: string) => fetchImageUrl(fetcher, `http://${host}:${port}/a`, signal)
    const slow = Promise.all(Array.from({ length: 8 }, () => at('slow.example').then(() => ['taken'], codeOf)))
    expect((await at('unknown.example').then(() => ['taken'], codeOf))[0]).toBe('image_url_failed')
    expect(String(await buffer((await at('shop.example')).body))).toBe('picture')
    expect(performance.now() - began).toBeLessThan(4_000)
    expect(new Set((await slow).map(([code]) => code))).toEqual(new Set(['image_url_failed']))
    expect(performance.now() - began).toBeLessThan(12_000)
  })
  // A host that is not named gets the one answer of everything that is refused.
  await withFetcher({ resolve }, async (fetcher) => {
    await expect(fetchImageUrl(fetcher, 'http://unknown.example/', signal)).rejects.toMatchObject({ code: 'image_url_blocked' })
  })
})

test('an image compressed although identity was requested is decompressed within the limit', async () => {
  await withFetcher({ allowlist: [`127.0.0.1:${port}`], maxBytes: 100_000 }, async (fetcher) => {
    const fetched = async (encoding: string, how = 'whole') => {
      const { body, contentLength } = await fetchImageUrl(
        fetcher,
        `http://127.0.0.1:${port}/packed?encoding=${encoding}&how=${how}`,
        signal,
      )
      expect(contentLength).toBeNull()
      return String(await buffer(body))
    }
    for (const encoding of ['gzip', 'x-gzip', 'GZIP', 'deflate', 'br', 'zstd']) expect(await fetched(encoding)).toBe('picture')
    const codes: unknown[] = []
    for (const [encoding, how] of [
      ['gzip', 'bomb'],
      ['br', 'bomb'],
      ['gzip', 'cut'],
      ['gzip', 'lie'],
      ['lzma', 'whole'],
    ] as const)
      codes.push(await fetched(encoding, how).catch((error: { code: string }) => error.code))
    expect(codes).toEqual(['image_too_large', 'image_too_large', 'image_url_failed', 'image_url_failed', 'image_url_failed'])
    // Not packed at all, said so.
    const plain = await fetchImageUrl(fetcher, `http://127.0.0.1:${port}/packed?encoding=identity`, signal)
    expect(String(await buffer(plain.body))).toBe('picture')
  })
})
