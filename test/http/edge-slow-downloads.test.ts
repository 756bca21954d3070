import { randomBytes } from 'node:crypto'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, onTestFinished } from 'vitest'
import { imageForm } from '../helpers/images.ts'
import { longTestOnLinux, times } from '../helpers/long.ts'
import { startServerProcess } from '../helpers/server-process.ts'
import { startShop } from '../helpers/test-shop.ts'
import { waitFor } from '../helpers/wait-for.ts'

const READERS = times(40, 200)
// A quarter of the 320 MB that forty readers would take if each held its file in memory.
const MAX_GROWTH_BYTES = 80 * 1024 * 1024
const LARGE = { width: 1_700, height: 1_650, channels: 3 } as const

longTestOnLinux('readers of large files that take a byte a second cost no memory, and leave no descriptor behind', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  // Noise: a PNG of 8 MB.
  const noise = await sharp(randomBytes(LARGE.width * LARGE.height * LARGE.channels), { raw: LARGE })
    .png()
    .toBuffer()
  const [product] = await shop.services.db.product.findMany({ where: { image_state: 'stored' }, take: 1 })
  const uploaded = await shop.call(`/api/products/${product!.id}/images/upload`, { method: 'POST', body: imageForm([noise]) })
  const { data: photo } = (await uploaded.json()) as { data: { id: string } }

  const server = await startServerProcess(shop.environment)
  const rss = async () => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]) * 1024
  const descriptors = async () => {
    const folder = `/proc/${server.child.pid}/fd`
    return Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')))
  }
  const filesOpen = async () => (await descriptors()).filter((path) => path.startsWith(shop.dataDir)).length

  const sockets = new Set<Socket>()
  /** Each takes the beginning, and then a byte a second. */
  function startReaders(): void {
    for (let n = 0; n < READERS; n++) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
      socket.on('readable', () => {})
      socket.write(
        `GET /api/v1/sync/product-photos/${photo.id}/download/?store_id=${store.id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${store.token}\r\n\r\n`,
      )
    }
  }
  const trickle = setInterval(() => {
    for (const socket of sockets) socket.read(1)
  }, 1_000)
  onTestFinished(() => clearInterval(trickle))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  const allGone = () => waitFor(async () => (await filesOpen()) === 0)
  const hangUp = () => {
    for (const socket of sockets) socket.destroy()
  }

  // Once for the connections, caches and code that the server keeps.
  startReaders()
  await waitFor(async () => (await filesOpen()) === READERS)
  hangUp()
  await allGone()
  const base = { rss: await rss(), descriptors: (await descriptors()).length }

  startReaders()
  await waitFor(async () => (await filesOpen()) === READERS)
  expect((await rss()) - base.rss).toBeLessThan(MAX_GROWTH_BYTES)
  // Meanwhile whoever reads is served.
  expect(Buffer.from(await (await store.download(photo.id)).arrayBuffer()).equals(noise)).toBe(true)
  // The long form waits for the server to end them, after half a minute. The sockets here would not
  // tell: they still hold what nobody has read.
  if (times(0, 1)) await allGone()
  hangUp()
  await allGone()
  await waitFor(async () => (await descriptors()).length <= base.descriptors)
  expect((await rss()) - base.rss).toBeLessThan(MAX_GROWTH_BYTES)
})
