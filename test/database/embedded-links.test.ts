import { execFileSync, spawn } from 'node:child_process'
import { chmod, chown, link, lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { alive } from '../../src/database/embedded/data-dir.ts'
import { deleteEmbeddedPostgres, openEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.ts'
import { accountIn, requireAccount } from '../../src/database/embedded/system-user.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'

const log = pino({ level: 'silent' })
const isRoot = process.getuid?.() === 0

async function stopped(): Promise<{ dataDir: string; cluster: string; open(): ReturnType<typeof openEmbeddedPostgres> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'zinc-links-'))
  await chmod(dataDir, 0o755)
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const open = () => openEmbeddedPostgres({ dataDir, log, durable: false })
  await (await open())[Symbol.asyncDispose]()
  return { dataDir, cluster: join(dataDir, 'postgres', 'cluster'), open }
}

async function secretFile(dataDir: string): Promise<string> {
  const file = join(dataDir, 'secret-of-root')
  await writeFile(file, 'canary 4711\n', { mode: 0o600 })
  return file
}

longTest('links that the account plants as server.log leave the file behind them as it was', async () => {
  const { dataDir, cluster, open } = await stopped()
  const secret = await secretFile(dataDir)
  const before = await stat(secret)
  for (const plant of [symlink, link]) {
    await rm(join(cluster, 'server.log'), { force: true })
    await plant(secret, join(cluster, 'server.log'))
    await (await open())[Symbol.asyncDispose]()
    expect(await readFile(secret, 'utf8')).toBe('canary 4711\n')
    expect({ ...(await stat(secret)), ctimeMs: 0, atimeMs: 0, nlink: 0 }).toMatchObject({
      uid: before.uid,
      gid: before.gid,
      mode: before.mode,
    })
  }
  const own = await stat(join(dataDir, 'postgres', 'server.log'))
  expect([own.uid, own.mode & 0o777]).toEqual([process.getuid?.(), 0o600])
})

longTest('a link or a pipe in the place of the log of the embedded database is refused with what to do', async () => {
  const { dataDir, open } = await stopped()
  const place = join(dataDir, 'postgres', 'server.log')
  const secret = await secretFile(dataDir)
  for (const plant of [() => symlink(secret, place), () => link(secret, place), async () => execFileSync('mkfifo', [place])]) {
    await rm(place, { force: true })
    await plant()
    await expect(open()).rejects.toMatchObject({ code: 'database_start', detail: { remedy: expect.stringContaining(place) } })
  }
  expect(await readFile(secret, 'utf8')).toBe('canary 4711\n')
})

longTest('a stop sends no signal to a process that postmaster.pid names and that is not the server', async () => {
  const { cluster, open } = await stopped()
  const server = await open()
  const file = join(cluster, 'postmaster.pid')
  const lines = (await readFile(file, 'utf8')).split('\n')
  const postmaster = Number(lines[0])
  onTestFinished(() => void (alive(postmaster) && process.kill(postmaster, 'SIGKILL')))
  const bystander = spawn('sleep', ['1000'], { stdio: 'ignore' })
  onTestFinished(() => void bystander.kill('SIGKILL'))
  let ended = false
  bystander.on('exit', () => (ended = true))
  await writeFile(file, [bystander.pid, ...lines.slice(1)].join('\n'))
  await server[Symbol.asyncDispose]()
  expect([ended, alive(bystander.pid!), alive(postmaster)]).toEqual([false, true, true])
  process.kill(postmaster, 'SIGINT')
  await waitFor(async () => !alive(postmaster))
})

longTest('postmaster.pid as a pipe or a link holds up no start and names no process', async () => {
  const { dataDir, cluster, open } = await stopped()
  const file = join(cluster, 'postmaster.pid')
  const elsewhere = join(dataDir, 'pid')
  await writeFile(elsewhere, `${process.pid}\n\n\n1\n`)
  for (const plant of [async () => execFileSync('mkfifo', [file]), () => symlink(elsewhere, file)]) {
    await plant()
    const server = await open()
    expect((await lstat(file)).isFile()).toBe(true)
    await server[Symbol.asyncDispose]()
  }
})

longTest('a PG_VERSION that links to another file shows nothing of it', async () => {
  const { dataDir, cluster, open } = await stopped()
  await rm(join(cluster, 'PG_VERSION'))
  await symlink(await secretFile(dataDir), join(cluster, 'PG_VERSION'))
  const error = (await open().catch((it: unknown) => it)) as Error
  expect(error).toMatchObject({ code: 'database_version' })
  expect(error.message).not.toContain('canary')
})

longTest('deleting the embedded database follows no link out of its folder', async () => {
  const { dataDir, cluster } = await stopped()
  const secret = await secretFile(dataDir)
  await symlink(dataDir, join(cluster, 'base', 'out'))
  await deleteEmbeddedPostgres({ dataDir, log })
  expect(await readFile(secret, 'utf8')).toBe('canary 4711\n')
  await expect(lstat(cluster)).rejects.toMatchObject({ code: 'ENOENT' })
})

test.runIf(isRoot && process.env.ZINC_LONG === '1')('root refuses a database folder that another account may write', async () => {
  const { dataDir, open } = await stopped()
  const folder = join(dataDir, 'postgres')
  await chown(folder, 65_534, 65_534)
  await expect(open()).rejects.toMatchObject({ code: 'unsafe_database_folder', detail: { remedy: expect.stringContaining('chown root') } })
  await chown(folder, 0, 0)
  await chmod(folder, 0o777)
  await expect(open()).rejects.toMatchObject({ code: 'unsafe_database_folder' })
  await chmod(folder, 0o755)
})

longTest('PostgreSQL never runs as an account that other services share', () => {
  const shared = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\ndaemon:x:1:1::/:/bin/false\n'
  expect(accountIn(shared)).toBeUndefined()
  expect(() => requireAccount(accountIn(shared))).toThrow(expect.objectContaining({ code: 'no_database_account', exitStatus: 1 }))
  expect(accountIn(`${shared}zinc-postgres:x:0:0::/:/bin/false\n`)).toBeUndefined()
  expect(accountIn(`${shared}postgres:x:70:70::/:/bin/sh\nzinc-postgres:x:999:998::/:/bin/false\n`)).toEqual({
    name: 'zinc-postgres',
    uid: 999,
    gid: 998,
  })
})
