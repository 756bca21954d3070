import { expect } from 'vitest'
import { edgeFolder, expectMirror } from '../helpers/edge-folder.ts'
import { type EdgeClient, openCountedLine, openEdgeClient } from '../helpers/edge-network.ts'
import { longTest } from '../helpers/long.ts'
import { createRandom } from '../helpers/random.ts'
import { startShop } from '../helpers/test-shop.ts'

const SEEDS = 20
const CLIENTS = 3
const STEPS = 12

longTest(`after ${SEEDS} random histories of a shop every folder equals the list`, async () => {
  const shop = await startShop()
  const everything = (await (await shop.addStore()).list()).photos
  const skus = [...new Set(everything.flatMap(({ product_sku }) => product_sku ?? []))]
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = createRandom(seed)
    const store = await shop.addStore({ share: true })
    const line = await openCountedLine(shop.url)
    const hosts = Array.from({ length: CLIENTS }, (_, n) => `127.1.${seed}.${n + 1}`)
    const dirs = await Promise.all(hosts.map(edgeFolder))
    const open = (n: number): Promise<EdgeClient> =>
      openEdgeClient(store, line.url, {
        host: hosts[n]!,
        port: 8020,
        peers: hosts.filter((_, m) => m !== n).map((host) => `${host}:8020`),
        dir: dirs[n]!,
      })
    const clients = await Promise.all(hosts.map((_, n) => open(n)))
    /** What each client does now; it ends by itself, or is stopped. */
    const pulling = clients.map(() => ({ stop: new AbortController(), done: Promise.resolve<unknown>(null) }))
    const begin = (n: number): void => {
      const stop = new AbortController()
      const most = Math.floor(random() * everything.length * 2)
      const done = clients[n]!.pull({
        signal: stop.signal,
        onProgress: ({ done }) => {
          if (done > most) stop.abort()
        },
      }).catch(() => null)
      pulling[n] = { stop, done }
    }
    const halt = async (n: number): Promise<void> => {
      pulling[n]!.stop.abort()
      await pulling[n]!.done
    }
    for (let step = 0; step < STEPS; step++) {
      const n = Math.floor(random() * CLIENTS)
      const kind = random()
      if (kind < 0.5) {
        await halt(n)
        begin(n)
      } else if (kind < 0.7) {
        await halt(n)
        await clients[n]!.close()
        clients[n] = await open(n)
      } else if (kind < 0.85) {
        const sold = skus.filter(() => random() < 0.7)
        await shop.send('PATCH', `/api/v1/stores/${store.id}?confirm_removals=true`, { assortment: { skus: sold } })
      } else line.cut(random() < 0.5)
    }
    line.cut(false)
    for (let n = 0; n < CLIENTS; n++) await halt(n)
    const results = await Promise.all(clients.map((client) => client.pull()))
    expect([seed, results.flatMap(({ failed }) => failed)]).toEqual([seed, []])
    const { photos } = await store.list()
    for (const dir of dirs) await expectMirror(dir, photos)
    for (const client of clients) await client.close()
  }
})
