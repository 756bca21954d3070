import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { childEnvironment } from '../helpers/child-environment.ts'
import { runZinc } from '../helpers/cli.ts'
import { edgeFolder, shownFiles } from '../helpers/edge-folder.ts'
import { openFaultProxy } from '../helpers/fault-proxy.ts'
import { longTest } from '../helpers/long.ts'
import { startServerProcess } from '../helpers/server-process.ts'
import { startShop, type TestStore } from '../helpers/test-shop.ts'

/**
 * `zinc edge pull --watch` in a process of its own; what it says is read in order, stdout and
 * stderr together.
 */
function startWatch(server: string, store: TestStore, dir: string) {
  const args = ['src/cli/main.ts', 'edge', 'pull', '--server', server, '--store', store.id, '--dir', dir, '--watch', '0.1']
  const child = spawn(process.execPath, args, { env: { ...childEnvironment, ZINC_EDGE_TOKEN: store.token } })
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

const shownIds = async (dir: string) => (await shownFiles(dir)).map((name) => name.split('.')[0])
const NOTHING_NEW = /^0 pulled .* 0 removed, \d+ unchanged, 0 failed$/m

longTest('a watch follows changes, outlives a pause and a killed server, and ends with 0 when it is stopped', async () => {
  const shop = await startShop()
  const store = await shop.addStore({ variant: 'thumb' })
  const { photos } = await store.list()
  const server = await startServerProcess(shop.environment)
  const dir = await edgeFolder()
  const watch = startWatch(server.url, store, dir)
  const remove = (n: number) => shop.send('DELETE', `/api/products/${photos[n]!.product_id}/images/${photos[n]!.id}`)

  await watch.until(/^20 pulled /m)
  await watch.until(NOTHING_NEW)
  await remove(0)
  await watch.until(/^0 pulled .* 1 removed/m)

  await shop.send('PATCH', `/api/v1/stores/${store.id}`, { paused: true })
  await watch.until(/paused.*; retrying in 0\.1 s/)
  await remove(1)
  expect(await shownIds(dir)).toContain(photos[1]!.id)
  await shop.send('PATCH', `/api/v1/stores/${store.id}`, { paused: false })
  await watch.until(/^0 pulled .* 1 removed/m)

  server.child.kill('SIGKILL')
  await server.ended
  await remove(2)
  await startServerProcess({ ...shop.environment, PORT: new URL(server.url).port })
  await watch.until(/^0 pulled .* 1 removed/m)
  await watch.until(NOTHING_NEW)

  expect((await shownIds(dir)).sort()).toEqual((await store.list()).photos.map((photo) => photo.id).sort())
  expect(await watch.stop()).toBe(0)
})

longTest('a watch ends with 0 when stopped in mid-pull, and with 1 when its token is revoked', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const line = await openFaultProxy(shop.url, { bytesPerSecond: 20_000 })
  onTestFinished(line.close)
  const slow = await edgeFolder()
  const early = startWatch(line.url, store, slow)
  while ((await readdir(slow)).every((name) => !name.endsWith('.part'))) await new Promise((resolve) => setImmediate(resolve))
  expect(await early.stop()).toBe(0)
  expect((await shownIds(slow)).length).toBeLessThan(20)

  const watch = startWatch(shop.url, store, slow)
  await watch.until(/^\d+ pulled /m)
  await shop.send('DELETE', `/api/v1/stores/${store.id}/tokens/${store.tokenId}`)
  await expect(watch.until(/never said/)).rejects.toThrow(/ended with 1 .*zinc token issue --store ID --name N/s)
  expect(await shownIds(slow)).toHaveLength(20)
})

test('a check that needs a password and has nobody to ask for it says where to put it', async () => {
  const call = ['edge', 'check', '--server', 'http://127.0.0.1:9', '--store', 'x', '--username', 'admin']
  const { status, stdout, stderr } = await runZinc(call)
  expect([status, stdout, stderr]).toEqual([2, '', expect.stringMatching(/^zinc: The password of admin is required\n.*ZINC_PASSWORD/)])
})

test('a dead address is said with the first failed try, and each wait with its length', async () => {
  const dir = await edgeFolder()
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as { port: number }
  await new Promise((resolve) => closed.close(resolve))
  const call = ['edge', 'pull', '--server', `http://127.0.0.1:${port}`, '--store', 'x', '--dir', dir]
  const child = spawn(process.execPath, ['bin/zinc.js', ...call], { env: { ...childEnvironment, ZINC_EDGE_TOKEN: 'x' } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  while (said.split('\n').length < 4) await once(child.stderr, 'data')
  expect(said.split('\n').slice(0, 3)).toEqual(
    Array.from({ length: 3 }, () =>
      expect.stringMatching(/^The server cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:\d+; retrying in \d+(\.\d)? s$/),
    ),
  )
})

test.runIf(process.platform === 'linux')('a folder that cannot be made ends the pull in words', async () => {
  const call = ['edge', 'pull', '--server', 'http://127.0.0.1:9', '--store', 'x', '--dir', '/proc/zinc']
  const { status, stderr } = await runZinc(call, { ZINC_EDGE_TOKEN: 'x' })
  expect([status, stderr]).toEqual([1, expect.stringContaining('The folder cannot be written (ENOENT): /proc/zinc')])
})

longTest('a token comes from a file, standard input or the environment; one in the arguments is warned of', async () => {
  const shop = await startShop()
  const store = await shop.addStore({ variant: 'thumb' })
  const dir = await edgeFolder()
  const file = join(await edgeFolder(), 'token')
  await writeFile(file, `${store.token}\n`, { mode: 0o600 })
  const target = ['--server', shop.url, '--store', store.id]
  const pull = ['edge', 'pull', ...target, '--dir', dir]
  expect(await runZinc([...pull, '--token-file', file])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^20 pulled/),
    stderr: '',
  })
  expect(await runZinc(['edge', 'check', ...target, '--token-file', file])).toMatchObject({ status: 0 })
  expect(await runZinc(['edge', 'check', ...target], { ZINC_EDGE_TOKEN: store.token })).toMatchObject({ status: 0 })

  const child = spawn(process.execPath, ['bin/zinc.js', ...pull, '--token', '-'], { env: { ...childEnvironment } })
  child.stdin.end(store.token)
  expect(await once(child, 'exit')).toEqual([0, null])

  // The warning names no part of it, and the process's own line does not show it while it works.
  const watching = spawn(process.execPath, ['bin/zinc.js', ...pull, '--token', store.token, '--watch', '60'], {
    env: { ...childEnvironment },
  })
  onTestFinished(() => void watching.kill('SIGKILL'))
  let said = ''
  watching.stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  await once(watching.stdout, 'data')
  expect(said).toMatch(/^warning: a token on the command line .*--token-file/)
  expect(said).not.toContain(store.token)
  if (process.platform === 'linux') expect(await readFile(`/proc/${watching.pid}/cmdline`, 'utf8')).not.toContain(store.token.slice(0, 20))

  await writeFile(file, '\n')
  const cases: [string[], RegExp][] = [
    [['--token-file', file], /No token found in /],
    [['--token-file', `${file}.none`], /cannot be read \(ENOENT\)/],
    [['--token-file', file, '--token', 'x'], /--token or --token-file, not both/],
    [[], /needs the store’s token\n.*--token-file/],
  ]
  for (const [options, words] of cases)
    expect(await runZinc([...pull, ...options])).toMatchObject({ status: 2, stderr: expect.stringMatching(words) })
})

longTest('plain http to another machine is warned of, to this one it is not', async () => {
  const call = (server: string) => runZinc(['edge', 'check', '--server', server, '--store', 'x'], { ZINC_EDGE_TOKEN: 'x' })
  expect((await call('http://zinc.invalid')).stderr).toMatch(/^warning: http:\/\/zinc\.invalid is not encrypted/)
  expect((await call('http://127.0.0.1:9')).stderr).toBe('')
})
