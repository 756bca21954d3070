import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openBadLine } from '../helpers/bad-line.ts'
import { runZinc } from '../helpers/cli.ts'
import { startServerProcess } from '../helpers/server-process.ts'
import { startShop, type TestStore } from '../helpers/shop.ts'

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'zinc-watch-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** `zinc edge pull --watch` in a process of its own; what it says is read in order, stdout and stderr together. */
function startWatch(server: string, store: TestStore, dir: string) {
  const args = ['src/commands/main.ts', 'edge', 'pull', '--server', server, '--store', store.id, '--dir', dir, '--watch', '0.1']
  const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH ?? '', ZINC_EDGE_TOKEN: store.token } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += String(chunk)
      child.emit('said')
    })
  const ended = once(child, 'exit') as Promise<[number | null]>
  return {
    /** Waits until it says this, and forgets what led there. */
    async until(words: RegExp): Promise<void> {
      for (;;) {
        const found = words.exec(said)
        if (found) {
          said = said.slice(found.index + found[0].length)
          return
        }
        await Promise.race([
          once(child, 'said'),
          ended.then(([status]) => {
            throw new Error(`it ended with ${status} before it said ${words}: ${said}`)
          }),
        ])
      }
    },
    async stop(): Promise<number | null> {
      child.kill('SIGTERM')
      return (await ended)[0]
    },
  }
}

const shown = async (dir: string) => (await readdir(dir)).filter((name) => !name.startsWith('.')).map((name) => name.split('.')[0])
const NOTHING_NEW = /^0 pulled .* 0 removed, \d+ as they were, 0 failed$/m

test('a watch follows changes, outlives a pause and a killed server, and ends with 0 when it is stopped', async () => {
  const shop = await startShop()
  const store = await shop.addStore({ variant: 'thumb' })
  const { photos } = await store.list()
  const server = await startServerProcess(shop.environment)
  const dir = await folder()
  const watch = startWatch(server.url, store, dir)
  const remove = (n: number) => shop.send('DELETE', `/api/products/${photos[n]!.product_id}/images/${photos[n]!.id}`)

  await watch.until(/^20 pulled /m)
  await watch.until(NOTHING_NEW)
  await remove(0)
  await watch.until(/^0 pulled .* 1 removed/m)

  await shop.send('PATCH', `/api/v1/stores/${store.id}`, { paused: true })
  await watch.until(/paused.*; will try again in 0\.1 s/)
  await remove(1)
  expect(await shown(dir)).toContain(photos[1]!.id)
  await shop.send('PATCH', `/api/v1/stores/${store.id}`, { paused: false })
  await watch.until(/^0 pulled .* 1 removed/m)

  server.child.kill('SIGKILL')
  await server.ended
  await remove(2)
  await startServerProcess({ ...shop.environment, PORT: new URL(server.url).port })
  await watch.until(/^0 pulled .* 1 removed/m)
  await watch.until(NOTHING_NEW)

  expect((await shown(dir)).sort()).toEqual((await store.list()).photos.map((photo) => photo.id).sort())
  expect(await watch.stop()).toBe(0)
})

test('a watch ends with 0 when stopped in mid-pull, and with 1 when its token is revoked', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const line = await openBadLine(shop.url, { bytesPerSecond: 20_000 })
  onTestFinished(line.close)
  const slow = await folder()
  const early = startWatch(line.url, store, slow)
  while ((await readdir(slow)).every((name) => !name.endsWith('.part'))) await new Promise((resolve) => setImmediate(resolve))
  expect(await early.stop()).toBe(0)
  expect((await shown(slow)).length).toBeLessThan(20)

  const watch = startWatch(shop.url, store, slow)
  await watch.until(/^\d+ pulled /m)
  await shop.send('DELETE', `/api/v1/stores/${store.id}/tokens/${store.tokenId}`)
  await expect(watch.until(/never said/)).rejects.toThrow(/ended with 1 .*zinc token issue --store ID --name N/s)
  expect(await shown(slow)).toHaveLength(20)
})

test('a check that needs a password and has nobody to ask for it says where to put it', async () => {
  const call = ['edge', 'check', '--server', 'http://127.0.0.1:9', '--store', 'x', '--username', 'admin']
  const { status, stdout, stderr } = await runZinc(call)
  expect([status, stdout, stderr]).toEqual([2, '', expect.stringMatching(/^zinc: The password of admin is needed\n.*ZINC_PASSWORD/)])
})
