import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { createBackup } from '../../src/backup/create.ts'
import { findManifest } from '../../src/backup/manifest.ts'
import { restoreBackup } from '../../src/backup/restore.ts'
import { backupFolders } from '../../src/backup/sources.ts'
import { openTarget } from '../../src/backup/target.ts'
import { verifyBackups } from '../../src/backup/verify.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { parseConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/database/client.ts'
import { migrate } from '../../src/database/migrate.ts'
import { openStorage } from '../../src/images/storage/open-storage.ts'
import { pullPaths } from '../../src/pulls/files/paths.ts'
import { createEmptyDatabase } from '../helpers/database.ts'
import { longTest } from '../helpers/long.ts'
import { startS3Server } from '../helpers/s3-server.ts'
import { startSecondInstance } from '../helpers/second-instance.ts'
import { login, openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
beforeAll(async () => {
  const opened = await openZinc({ synced: true })
  zinc = opened
  await mkdir(join(zinc.dataDir, 'sync_sessions', 'sync_session_2026-11-25_02-26-54'), { recursive: true })
  await writeFile(join(zinc.dataDir, 'sync_sessions', 'sync_session_2026-11-25_02-26-54', 'فواتير.json'), '[1]\n')
  await mkdir(join(zinc.dataDir, 'imports'), { recursive: true })
  await writeFile(join(zinc.dataDir, 'imports', 'items.json'), '[]')
  return opened.end
})

async function temporary(name: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `zinc-${name}-`))
  // A server that just ended may still make a link.
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  return dir
}

/** An empty database and an empty data folder. */
async function emptyPlace(): Promise<Record<string, string>> {
  const database = await createEmptyDatabase()
  onTestFinished(database.drop)
  return { ...zinc.environment, DATABASE_URL: database.url, DATA_DIR: await temporary('place') }
}

/** The command line in this process; one at a time. */
async function command(args: string[], environment = zinc.environment) {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    const status = await runCli(['--json', ...args], { ...environment })
    return { status, body: JSON.parse(String(printed.mock.calls[0]?.[0] ?? '{}')) as { status: string; data: Record<string, never> } }
  } finally {
    printed.mockRestore()
  }
}

/** What a shop is: its rows, and the bytes of each of its images. */
async function shopOf(url: string, call: (path: string) => Promise<Response>, databaseUrl: string) {
  const db = openDatabase(databaseUrl)
  try {
    const photos = await db.photo.findMany({ orderBy: { id: 'asc' } })
    const bytes: Record<string, string> = {}
    for (const { id } of photos.slice(0, 5)) {
      const response = await call(`/images/${id}`)
      bytes[id] = `${response.status} ${Buffer.from(await response.arrayBuffer())
        .toString('base64')
        .slice(0, 200)}`
    }
    return {
      url: url !== '',
      bytes,
      photos,
      products: await db.product.findMany({ orderBy: { id: 'asc' } }),
      users: await db.appUser.findMany({ omit: { last_login_at: true } }),
    }
  } finally {
    await db.$disconnect()
  }
}

async function serve(place: Record<string, string>) {
  const url = await startSecondInstance({ environment: place })
  const token = await login(url)
  const call = (path: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
  return { url, call }
}

test('a second backup writes only what is new, and a restore elsewhere is the same shop', async () => {
  const target = join(await temporary('backup'), 'new')
  const first = await command(['backup', target, '--with-keys'])
  expect(first).toMatchObject({ status: 0, body: { status: 'success', data: { images: 20, with_keys: true } } })
  const second = await command(['backup', target, '--with-keys'])
  expect(second.body.data).toMatchObject({ added_files: 1, files: first.body.data.files })
  expect(await command(['backup', 'verify', target])).toMatchObject({
    status: 0,
    body: {
      data: [
        { id: second.body.data.id, state: 'success', damaged: [] },
        { id: first.body.data.id, state: 'success' },
      ],
    },
  })

  const place = await emptyPlace()
  const restored = await command(['restore', target], place)
  expect(restored).toMatchObject({
    status: 0,
    body: { status: 'success', data: { backup_id: second.body.data.id, missing: [], new_keys: null } },
  })
  expect(await readFile(join(place.DATA_DIR!, 'sync_sessions/sync_session_2026-11-25_02-26-54/فواتير.json'), 'utf8')).toBe('[1]\n')
  expect(await readFile(join(place.DATA_DIR!, 'imports/items.json'), 'utf8')).toBe('[]')
  const { url, call } = await serve(place)
  expect(await shopOf(url, call, place.DATABASE_URL!)).toEqual(await shopOf(zinc.url, zinc.call, zinc.environment.DATABASE_URL!))
  expect(await command(['restore', target], place)).toMatchObject({ status: 1, body: { code: 'database_not_empty' } })
})

longTest('without keys a restore names them; new keys forget secrets and edge tokens, and keep users', async () => {
  const store = await zinc.call('/api/v1/stores', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"code":"S1","name":"Store"}',
  })
  const { data } = (await store.json()) as { data: { id: string } }
  await zinc.call(`/api/v1/stores/${data.id}/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"till"}',
  })
  const target = await temporary('backup')
  expect((await command(['backup', target])).status).toBe(0)
  const place = await emptyPlace()
  expect(await command(['restore', target], place)).toMatchObject({
    status: 1,
    body: { code: 'backup_keys_missing', message: expect.stringMatching(/JWT_SECRET and CREDENTIALS_KEY/) },
  })
  expect(await readdir(join(place.DATA_DIR!, 'images'))).not.toContain('originals')
  expect(await command(['restore', target, '--new-keys'], place)).toMatchObject({
    status: 0,
    body: { data: { new_keys: { keys: ['jwt', 'credentials'], edge_tokens: [{ store: 'S1', name: 'till' }] } } },
  })
  const { call } = await serve(place)
  expect((await call('/api/products?limit=1')).status).toBe(200)
  const settings = await readdir(join(zinc.dataDir, 'settings'))
  for (const name of settings.filter((it) => it.endsWith('.key')))
    expect(await readFile(join(place.DATA_DIR!, 'settings', name), 'utf8')).not.toBe(
      await readFile(join(zinc.dataDir, 'settings', name), 'utf8'),
    )
})

longTest('a damaged byte, a cut manifest and a folder without a finished backup are found', async () => {
  const target = await temporary('backup')
  await mkdir(join(target, 'content'))
  expect(await command(['backup', 'verify', target])).toMatchObject({ status: 1, body: { code: 'backup_not_found' } })
  const { body } = await command(['backup', target])
  const [shard = ''] = await readdir(join(target, 'content'))
  const [name = ''] = await readdir(join(target, 'content', shard))
  const file = join(target, 'content', shard, name)
  const bytes = await readFile(file)
  bytes[bytes.length - 1]! ^= 1
  await rm(file)
  await writeFile(file, bytes)
  expect(await command(['backup', 'verify', target])).toMatchObject({ status: 1, body: { data: [{ id: body.data.id, state: 'damaged' }] } })
  const manifest = join(target, 'backups', `${body.data.id}.json`)
  await writeFile(manifest, (await readFile(manifest, 'utf8')).slice(0, -100))
  expect(await command(['backup', 'verify', target])).toMatchObject({ status: 1, body: { data: [{ damaged: ['its manifest'] }] } })
})

longTest('a backup in a bucket is restored onto another storage', async () => {
  const s3 = await startS3Server()
  onTestFinished(() => s3.close())
  const { STORAGE: _, S3_BUCKET: bucket, ...access } = s3.environment
  const from = { ...zinc.environment, ...Object.fromEntries(Object.entries(access).map(([key, value]) => [`BACKUP_${key}`, value])) }
  const target = `s3://${bucket}/nightly/zinc`
  expect(await command(['backup', target, '--with-keys'], from)).toMatchObject({ status: 0, body: { status: 'success' } })
  expect(await command(['backup', 'verify', target], from)).toMatchObject({ status: 0 })
  const place: Record<string, string> = { ...(await emptyPlace()), ...s3.environment }
  expect(await command(['restore', target], place)).toMatchObject({ status: 0, body: { status: 'success' } })
  const { url, call } = await serve(place)
  expect(await shopOf(url, call, place.DATABASE_URL!)).toEqual(await shopOf(zinc.url, zinc.call, zinc.environment.DATABASE_URL!))
  expect(await readdir(join(place.DATA_DIR!, 'images'))).not.toContain('originals')
})

const silent = pino({ level: 'silent' })
const signal = new AbortController().signal
const stopped = new Error('stopped here')

async function openHere(path: string) {
  const target = await openTarget(path, { bucketAccess: parseConfig({}).backup.s3, workDir: await temporary('work') })
  const { databaseUrl, store, rotation } = zinc.services
  const source = {
    databaseUrl,
    store,
    folders: backupFolders(zinc.dataDir, pullPaths(zinc.dataDir, undefined)),
    keys: () => ({ jwt: rotation.jwtRing.keys(), credentials: rotation.credentialsRing.keys() }),
  }
  return { target, source }
}

/** A call that fails from its nth time on, as everything does after a process was killed. */
const failingFrom = <A extends unknown[], R>(nth: number, call: (...args: A) => Promise<R>) => {
  let calls = 0
  return async (...args: A): Promise<R> => {
    if (++calls >= nth) throw stopped
    return call(...args)
  }
}

longTest('a stopped backup leaves the last one good, and the next one writes only the rest', async () => {
  const { target, source } = await openHere(await temporary('backup'))
  const options = { withKeys: false, signal }
  let written = 0
  for (const nth of [1, 2, 12]) {
    const content = { ...target.content, keep: failingFrom(nth, target.content.keep) }
    await expect(createBackup(source, { ...options, target: { ...target, content } })).rejects.toThrow(stopped)
    expect(await verifyBackups(target, signal)).toEqual([])
    written = nth - 1
  }
  const first = await createBackup(source, { ...options, target })
  // The dump of each attempt is another one.
  expect(first.added.files).toBeLessThan(first.files + 3 - written + 2)
  await expect(createBackup(source, { ...options, target: { ...target, writeText: failingFrom(1, target.writeText) } })).rejects.toThrow(
    stopped,
  )
  expect(await verifyBackups(target, signal)).toMatchObject([{ id: first.id, state: 'success' }])
})

longTest('a stopped restore resumes, zinc does not start in between, and a filled place is refused', async () => {
  const path = await temporary('backup')
  const { target, source } = await openHere(path)
  await createBackup(source, { target, withKeys: true, signal })
  const manifest = await findManifest(target, { name: path })
  const environment = await emptyPlace()
  const config = parseConfig(environment)
  await using storage = await openStorage(config.storage, join(config.dataDir, 'images'), null)
  const place = {
    databaseUrl: config.databaseUrl!,
    storage,
    dataDir: config.dataDir,
    folders: backupFolders(config.dataDir, pullPaths(config.dataDir, undefined)),
    keys: config.keys,
  }
  const options = { target, targetName: path, manifest, newKeys: false, log: silent, signal }
  for (const nth of [1, 8]) {
    const store = { ...storage.store, keep: failingFrom(nth, storage.store.keep) }
    await expect(restoreBackup({ ...place, storage: { ...storage, store } }, options)).rejects.toThrow(stopped)
  }
  await expect(startSecondInstance({ environment })).rejects.toMatchObject({ code: 'restore_unfinished' })
  // Killed between the tables and their rows.
  await migrate(place.databaseUrl, { log: silent })
  expect(await restoreBackup(place, options)).toMatchObject({ missing: [], rows: manifest.database.rows })
  await expect(restoreBackup(place, options)).rejects.toMatchObject({ code: 'database_not_empty' })
  const database = await createEmptyDatabase()
  onTestFinished(database.drop)
  await expect(restoreBackup({ ...place, databaseUrl: database.url }, options)).rejects.toMatchObject({ code: 'place_not_empty' })
})
