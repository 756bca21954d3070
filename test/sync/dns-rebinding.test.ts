import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { startDnsServer } from '../helpers/dns-server.ts'
import { drawnImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const PUBLIC = '93.184.216.34'
/**
 * Loopback, too; nothing else listens there. Port 80 is one that zinc may ask, where this machine
 * lets a test have it.
 */
const INSIDE = '127.83.19.7'

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

longTest('names and redirects to internal addresses are all refused alike without a request', async () => {
  const hits: string[] = []
  // A connection alone tells what listens there.
  const inside = () =>
    createServer((_request, reply) => reply.end('secret')).on('connection', (socket) => hits.push(socket.localAddress ?? ''))
  await listen(inside(), 80, INSIDE).catch(() => {})
  const port = await listen(inside(), 0, '127.0.0.1')
  const image = await drawnImage()
  /** A host that may be asked: a picture, or a redirect to wherever its address says. */
  const named = createServer((request, reply) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
    if (pathname === '/picture.png') return reply.writeHead(200, { 'content-type': 'image/png' }).end(image)
    if (pathname === '/meta')
      return reply.end(`<html><meta http-equiv="refresh" content="0;url=http://127.0.0.1:${port}/meta"><script>fetch('/x')</script></html>`)
    reply
      .writeHead(Number(searchParams.get('status')), { location: searchParams.get('to')!, refresh: `0;url=http://127.0.0.1:${port}/` })
      .end()
  })
  const open = `127.0.0.1:${await listen(named, 0, '127.0.0.1')}`

  const names = await startDnsServer({
    'inside.example': () => ({ a: [INSIDE] }),
    'inside6.example': () => ({ aaaa: ['::1'] }),
    'mapped.example': () => ({ aaaa: ['::ffff:7f53:1307'] }),
    'nat64.example': () => ({ aaaa: ['64:ff9b::7f53:1307'] }),
    'mixed.example': () => ({ a: [PUBLIC, INSIDE] }),
    'mixed6.example': () => ({ a: [PUBLIC], aaaa: ['::1'] }),
    'chain.example': () => ({ cnames: ['a.example', 'b.example', 'internal.example'], a: [INSIDE] }),
    'chain-mixed.example': () => ({ cnames: ['cdn.example'], a: [INSIDE, PUBLIC] }),
    'metadata.example': () => ({ cnames: ['metadata.google.internal'], a: ['169.254.169.254'] }),
    // Public for who looks first, inside for who connects.
    'rebinds.example': (asked) => ({ a: [asked % 2 === 0 ? '10.0.0.1' : INSIDE] }),
    'rebinds-late.example': (asked) => ({ a: [asked === 0 ? PUBLIC : INSIDE] }),
  })
  // The look before the connecting one: a guard that asked twice would believe the first answer.
  expect(await names.resolve('rebinds-late.example')).toEqual([{ address: PUBLIC, family: 4 }])
  expect(await names.resolve('chain.example')).toEqual([{ address: INSIDE, family: 4 }])

  const lying = ['inside', 'inside6', 'mapped', 'nat64', 'mixed', 'mixed6', 'chain', 'chain-mixed', 'metadata', 'rebinds', 'rebinds-late']
  const hosts = [...lying.map((it) => `${it}.example`), 'unknown.example', INSIDE, '2136150791', '[::1]', `[::ffff:${INSIDE}]`, 'localhost']
  const targets = [
    ...hosts.flatMap((host) => [`http://${host}/direct`, `https://${host}/direct`]),
    ...[`http://127.0.0.1:${port}/port`, `http://user@${INSIDE}/`, 'file:///etc/passwd', `ftp://${INSIDE}/`],
    ...['gopher://127.0.0.1:6379/_x', 'data:image/png;base64,iVBORw0KGgo=', '//'],
  ]
  const behind = (to: string, status: number) => `http://${open}/redirect?status=${status}&to=${encodeURIComponent(to)}`
  const refused = [
    ...targets,
    ...targets.map((to, n) => behind(to, [301, 302, 303, 307, 308][n % 5]!)),
    ...[301, 302, 303, 307, 308].map((status) => behind('http://mixed.example/', status)),
    behind(behind(behind('http://chain.example/', 302), 307), 308),
  ]
  const zinc = await startZinc({
    environment: { IMAGE_URL_ALLOWLIST: open },
    overrides: () => ({ resolveImageHost: names.resolve }),
  })
  const records = [
    { zoho_item_id: '9001', sku: 'good', name: 'Good', image_url: behind(`http://${open}/picture.png`, 302) },
    { zoho_item_id: '9002', sku: 'meta', name: 'Meta', image_url: `http://${open}/meta` },
    ...refused.map((image_url, n) => ({ zoho_item_id: `${n}`, sku: `r${n}`, name: image_url.slice(0, 80), image_url })),
  ]
  await mkdir(join(zinc.dataDir, 'imports'), { recursive: true })
  await writeFile(join(zinc.dataDir, 'imports', 'lies.json'), JSON.stringify(records))
  const { statistics } = await zinc.sync('?source=file&file=lies.json&sync_images=true')

  expect(statistics).toMatchObject({ new: records.length, images_downloaded: 1, images_failed: refused.length + 1 })
  const failures = await zinc.services.db.failure.findMany({ where: { stage: 'image' } })
  const of = new Map(failures.map((it) => [it.zoho_item_id, `${it.code} ${it.message}`]))
  expect(of.get('9002')).toMatch(/^not_an_image /)
  expect(refused.filter((_, n) => !of.get(`${n}`)?.startsWith('image_url_blocked '))).toEqual([])
  expect(new Set(refused.map((_, n) => of.get(`${n}`))).size).toBe(1)
  expect(hits).toEqual([])
  expect([...names.asked.keys()].filter((it) => it.startsWith('rebinds.'))).not.toEqual([])
})
