import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { link, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { DiskFailure } from '../../src/edge-client/disk-failure.ts'
import { STATE_FILE } from '../../src/edge-client/state.ts'
import type { SyncPhoto } from '../../src/schemas/photo-sync.ts'
import { runZinc } from '../helpers/cli.ts'
import { edgeFolder, expectMirror, puller, shownFiles } from '../helpers/edge-folder.ts'
import { longTest } from '../helpers/long.ts'
import { createTestStore, type TestStore } from '../helpers/test-shop.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
let photos: SyncPhoto[]
beforeAll(async () => {
  const opened = await openZinc()
  zinc = opened
  await zinc.sync('?sync_images=true')
  photos = (await (await addStore()).list()).photos
  return opened.end
})

let made = 0
async function send(path: string, body: unknown) {
  const response = await zinc.call(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  return ((await response.json()) as { data: { id: string; token: string } }).data
}
async function addStore(): Promise<TestStore> {
  const { id } = await send('/api/v1/stores', { code: `D${++made}`, name: 'Small disk' })
  const { token, id: tokenId } = await send(`/api/v1/stores/${id}/tokens`, { name: 'test' })
  return createTestStore(zinc.url, { id, token, tokenId })
}
const failing = async ({ id }: TestStore) =>
  ((await (await zinc.call(`/api/v1/sync/stores/${id}`)).json()) as { data: { failing: { error: string }[] } }).data.failing

const mountsDisks = process.platform === 'linux' && process.getuid?.() === 0
/** A disk of its own, of so many bytes. */
async function smallDisk(bytes: number): Promise<{ dir: string; remount(options: string): void }> {
  const dir = join(await edgeFolder(), 'disk')
  await mkdir(dir)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir])
  onTestFinished(() => void execFileSync('umount', [dir]))
  return { dir, remount: (options) => void execFileSync('mount', ['-o', `remount,${options}`, dir]) }
}

test.runIf(mountsDisks)('a full disk is said in words and reported, and with room the next start completes the folder', async () => {
  const store = await addStore()
  const size = photos.reduce((sum, photo) => sum + photo.size, 0)
  const { dir, remount } = await smallDisk(Math.ceil(size / 2))
  const run = puller(store, zinc.url, dir)
  for (const time of ['first', 'second']) {
    await expect(run(), time).rejects.toMatchObject({ constructor: DiskFailure, code: 'disk_full', message: 'The disk is full (ENOSPC)' })
    const [failed] = await failing(store)
    expect(failed?.error).toBe('The disk is full (ENOSPC)')
    const listed = new Map(photos.map((photo) => [photo.id, photo.sha256]))
    const here = await shownFiles(dir)
    expect(here.length).toBeGreaterThan(0)
    for (const name of here)
      expect(
        createHash('sha256')
          .update(await readFile(join(dir, name)))
          .digest('hex'),
      ).toBe(listed.get(name.split('.')[0]!))
  }
  const call = ['edge', 'pull', '--server', zinc.url, '--store', store.id, '--dir', dir]
  const { status, stderr } = await runZinc(call, { ZINC_EDGE_TOKEN: store.token })
  expect([status, stderr]).toEqual([1, expect.stringMatching(/The disk is full \(ENOSPC\): .*\n.*Free up space/)])
  expect(stderr).not.toMatch(/^\s+at /m)

  remount(`size=${size * 3}`)
  expect(await run()).toMatchObject({ failed: [] })
  await expectMirror(dir, photos)
  expect(await failing(store)).toEqual([])
})

test.runIf(mountsDisks)('on a disk without a byte of room photos that were deleted still go, which makes room to note it', async () => {
  const store = await addStore()
  const { dir, remount } = await smallDisk(16_000_000)
  const run = puller(store, zinc.url, dir)
  await run()
  const [gone] = photos as [SyncPhoto]
  await zinc.call(`/api/products/${gone.product_id}/images/${gone.id}`, { method: 'DELETE' })
  photos = photos.slice(1)
  await writeFile(join(dir, 'ballast'), Buffer.alloc(20_000_000)).catch(() => {})
  await writeFile(join(dir, '.filler'), Buffer.alloc(4_096)).catch(() => {})
  const warnings: string[] = []
  expect(await run({ onWarning: (message) => warnings.push(message) })).toMatchObject({ removed: 1, failed: [] })
  expect(warnings).toEqual([])
  await rm(join(dir, 'ballast'))
  await rm(join(dir, '.filler'), { force: true })
  remount('size=16m')
  expect(await run()).toMatchObject({ fetched: 0, removed: 0 })
  await expectMirror(dir, photos)
})

test.runIf(mountsDisks)('a read-only folder is said in words, and what should have come is reported', async () => {
  const store = await addStore()
  const { dir, remount } = await smallDisk(16_000_000)
  remount('ro')
  const run = puller(store, zinc.url, dir)
  await expect(run()).rejects.toMatchObject({
    constructor: DiskFailure,
    code: 'folder_read_only',
    message: 'The folder is read-only (EROFS)',
  })
  expect((await failing(store)).map(({ error }) => error)).toEqual(photos.map(() => 'The folder is read-only (EROFS)'))
  remount('rw')
  expect(await run()).toMatchObject({ failed: [] })
  await expectMirror(dir, photos)
  expect(await failing(store)).toEqual([])
  // What is here already is not reported as failed because nothing can be written.
  remount('ro')
  await expect(run()).rejects.toThrow('The folder is read-only')
  expect(await failing(store)).toEqual([])
})

longTest('hashes and sizes of a hostile server never become paths or memory', async () => {
  const dir = await edgeFolder()
  const outside = await edgeFolder()
  const base = JSON.parse(JSON.stringify(photos.slice(0, 6))) as SyncPhoto[]
  let listed: SyncPhoto[] = base
  let archive = Buffer.alloc(0)
  const server = createServer((request, response) => {
    if (request.url!.includes('/archive/')) return void response.writeHead(200, { 'content-type': 'application/x-tar' }).end(archive)
    if (request.url!.includes('/download/')) {
      response
        .writeHead(200, { 'content-type': 'image/jpeg', 'content-length': 20_000, 'x-checksum-sha256': '../x' })
        .write(Buffer.alloc(14_000))
      return void setImmediate(() => response.destroy())
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        status: 'success',
        message: '',
        data: {
          ...{ photos: listed, total: 6, has_more: false, next_offset: null, next_cursor: 'c', server_time: '2026-11-30T00:00:00.000Z' },
          ...{ updated: 0, unknown: [], count: 6, bytes: 1, digest: 'd', cursor: 'c' },
        },
      }),
    )
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const run = puller(await addStore(), `http://127.0.0.1:${(server.address() as { port: number }).port}`, dir)
  const stop = AbortSignal.timeout(4_000)

  listed = base.map((photo, n) => (n === 0 ? { ...photo, sha256: `/../../../../../../../..${outside}/pwned` } : photo))
  await expect(run({ signal: stop })).rejects.toThrow()
  expect(await readdir(outside)).toEqual([])

  // A header that promises 8 GB: nothing is allocated for it, and the photos are asked for alone.
  const header = Buffer.alloc(512)
  header.write(`${base[1]!.id}.jpg`)
  header.write('0000644\0', 100)
  header.write('77777777777\0', 124)
  header.write('00000000000\0', 136)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  header.fill(' ', 148, 156)
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  archive = header
  listed = base
  const { failed } = await run()
  expect(failed).toHaveLength(6)
  expect(await shownFiles(dir)).toEqual([])
})

test('a foreign journal removes nothing outside the folder, and photos are not written through links', async () => {
  const store = await addStore()
  const [dir, outside] = [await edgeFolder(), await edgeFolder()]
  const run = puller(store, zinc.url, dir)
  await run()
  const victim = join(outside, 'victim.txt')
  await writeFile(victim, 'precious')
  const [first, second, third] = photos as [SyncPhoto, SyncPhoto, SyncPhoto]
  const held = {
    id: first.id,
    file: `../${outside.split('/').at(-1)}/victim.txt`,
    sha256: first.sha256,
    size: 8,
    mtime_ms: 0,
    version: 1,
    content_type: 'x',
  }
  await writeFile(join(dir, STATE_FILE), `${JSON.stringify({ held })}\n${JSON.stringify({ gone: second.id })}\n`)
  await rm(join(dir, (await shownFiles(dir)).find((name) => name.startsWith(second.id))!))
  await symlink(victim, join(dir, `.${second.id}.${second.sha256}.part`))
  await rm(join(dir, (await shownFiles(dir)).find((name) => name.startsWith(third.id))!))
  await link(victim, join(dir, `.${third.id}.${third.sha256}.part`))
  await symlink(victim, join(dir, `${STATE_FILE}.new`))
  expect(await run()).toMatchObject({ failed: [] })
  expect(await readFile(victim, 'utf8')).toBe('precious')
  await expectMirror(dir, photos)
  for (const name of await shownFiles(dir)) expect((await lstat(join(dir, name))).isFile()).toBe(true)

  // A pipe in the place of the journal is not waited for.
  await rm(join(dir, STATE_FILE))
  execFileSync('mkfifo', [join(dir, STATE_FILE)])
  expect(await run()).toMatchObject({ failed: [] })
  expect((await stat(join(dir, STATE_FILE))).mode & 0o777).toBe(0o600)
})
