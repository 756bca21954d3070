import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pLimit from 'p-limit'
import type { Logger } from 'pino'
import { openDatabase } from '../database/client.ts'
import { createClient } from '../database/connection.ts'
import { keyFingerprint } from '../database/instance.ts'
import { migrate } from '../database/migrate.ts'
import { removeTables, restoreDatabase } from '../database/restore-dump.ts'
import { compareDigests } from '../database/table-digests.ts'
import { isContentName, STORED_KINDS, type StoredKind } from '../images/storage/blob-store.ts'
import { hashFile } from '../images/storage/move-storage.ts'
import type { Storage } from '../images/storage/open-storage.ts'
import { ConflictError } from '../lib/errors.ts'
import { fsyncPath } from '../lib/fsync.ts'
import { ENCRYPTED_COLUMNS } from '../settings/encrypted-columns.ts'
import { deleteEncrypted } from '../settings/reencrypt.ts'
import { type BackupFile, copyContent, damaged, type Manifest, readFileList, withContent } from './manifest.ts'
import { readRestoreMarker, removeRestoreMarker, writeRestoreMarker } from './restore-marker.ts'
import type { BackupFolders } from './sources.ts'
import type { BackupTarget } from './target.ts'

const PURPOSES = ['jwt', 'credentials'] as const
type Purpose = (typeof PURPOSES)[number]

/** Where a backup is restored to. */
export interface RestorePlace {
  /** The owner of the tables. */
  databaseUrl: string
  storage: Storage
  dataDir: string
  folders: BackupFolders
  /** Of the environment, in base64; empty: the key files of the settings folder. */
  keys: Record<Purpose, string[]>
}

export interface RestoreOptions {
  target: BackupTarget
  targetName: string
  manifest: Manifest
  /** Without the lost keys: what they encrypted is forgotten. */
  newKeys: boolean
  log: Logger
  signal: AbortSignal
  onProgress?(done: number, total: number): void
}

export interface RestoreResult {
  backup_id: string
  created_at: string
  rows: number
  files: number
  /** Images that the backup does not have whole. */
  missing: string[]
  /** Null: the keys of the backup are there. */
  new_keys: { keys: Purpose[]; secrets_forgotten: number; edge_tokens: { store: string; name: string }[] } | null
}

const AT_ONCE = 8
const RESTORED_FROM = 'restored_from'
const KEY_NAMES: Record<Purpose, string> = { jwt: 'JWT_SECRET', credentials: 'CREDENTIALS_KEY' }

/**
 * Restores a backup into an empty place: files first, then the database in one transaction, whose
 * digests are compared before it is committed. A killed restore resumes with the next call; until
 * then zinc does not start there. Throws ConflictError `place_not_empty`, `database_not_empty`,
 * `backup_keys_missing`, `backup_damaged`, `backup_differs`, `restore_unfinished`.
 */
export async function restoreBackup(place: RestorePlace, options: RestoreOptions): Promise<RestoreResult> {
  const { dataDir } = place
  const { manifest, newKeys, targetName } = options
  const lost = await missingKeys(place, options)
  if (lost.length > 0 && !newKeys) throw new ConflictError('backup_keys_missing', { keys: lost.map((it) => KEY_NAMES[it]) })
  const begun = await readRestoreMarker(dataDir)
  if (begun && begun.backup_id !== manifest.id)
    throw new ConflictError('restore_unfinished', { target: begun.target, backup_id: begun.backup_id })
  const filled = await stateOfDatabase(place.databaseUrl, { begun: begun !== null, id: manifest.id })
  if (!begun) {
    await refuseFilledPlace(place)
    await writeRestoreMarker(dataDir, { backup_id: manifest.id, target: targetName, new_keys: newKeys })
  }
  const missing = await restoreFiles(place, options)
  if (!filled) await fillDatabase(place, options)
  await migrate(place.databaseUrl, options)
  const forgotten = await settle(place, lost)
  await removeRestoreMarker(dataDir)
  return {
    backup_id: manifest.id,
    created_at: manifest.created_at,
    rows: manifest.database.rows,
    files: manifest.files - missing.length,
    missing,
    new_keys: lost.length > 0 ? { keys: lost, ...forgotten } : null,
  }
}

/** Returns the keys that neither the environment, the key files nor the backup has. */
async function missingKeys({ keys, folders }: RestorePlace, { manifest, newKeys }: RestoreOptions): Promise<Purpose[]> {
  const lost: Purpose[] = []
  for (const purpose of PURPOSES) {
    const wanted = manifest.keys[purpose]
    if (wanted === null) continue
    const file = await readFile(join(folders.settings, `${purpose}.key`), 'utf8').catch(() => '')
    const there = keys[purpose].length > 0 ? keys[purpose] : file.split('\n').filter((line) => line.trim() !== '')
    if (there.some((key) => keyFingerprint(Buffer.from(key, 'base64')) === wanted)) continue
    const fromBackup = manifest.keys.included && !newKeys && there.length === 0
    if (!fromBackup) lost.push(purpose)
  }
  return lost
}

async function refuseFilledPlace({ storage, folders }: RestorePlace): Promise<void> {
  for (const kind of STORED_KINDS)
    for await (const _ of storage.store.list(kind)) throw new ConflictError('place_not_empty', { path: `images/${kind}` })
  for (const [name, path] of Object.entries(folders)) {
    if (name === 'settings') continue // the keys may have been put there
    if ((await readdir(path).catch(() => [])).length > 0) throw new ConflictError('place_not_empty', { path })
  }
}

/**
 * Returns whether the database already holds this backup. What a killed restore left is removed:
 * tables without a single user or product, since the rows come in one transaction.
 */
async function stateOfDatabase(url: string, { begun, id }: { begun: boolean; id: string }): Promise<boolean> {
  const client = createClient(url)
  await client.connect()
  try {
    const has = async (sql: string, values: unknown[] = []) => ((await client.query(sql, values)).rowCount ?? 0) > 0
    if (!(await has(`select 1 from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`))) return false
    if (!begun) throw new ConflictError('database_not_empty')
    const there = (table: string) => has('select 1 where to_regclass($1) is not null', [`public.${table}`])
    if (
      (await there('instance_property')) &&
      (await has('select 1 from instance_property where name = $1 and value = $2', [RESTORED_FROM, id]))
    )
      return true
    for (const table of ['app_user', 'product', 'audit_entry'])
      if ((await there(table)) && (await has(`select 1 from ${table} limit 1`))) throw new ConflictError('database_not_empty')
    if (!(await there('_prisma_migrations'))) throw new ConflictError('database_not_empty')
  } finally {
    await client.end()
  }
  await removeTables(url)
  return false
}

/** Returns the paths of the images that the backup does not have whole. */
async function restoreFiles(place: RestorePlace, { target, manifest, newKeys, signal, onProgress }: RestoreOptions): Promise<string[]> {
  const limit = pLimit(AT_ONCE)
  const missing = [...manifest.missing]
  const { id, file_list } = manifest
  await withContent(target, { id, sha256: file_list.sha256, name: 'the list of its files' }, async (list) => {
    let batch: Promise<void>[] = []
    let done = 0
    const one = (file: BackupFile) =>
      limit(async () => {
        signal.throwIfAborted()
        if (file.path.startsWith('images/')) await restoreImage(file)
        else await restoreFile(file)
        onProgress?.(++done, manifest.files)
      })
    for await (const file of readFileList(list, id)) {
      const restoring = one(file)
      restoring.catch(() => {}) // the batch reports it, unless the list ends the restore before
      batch.push(restoring)
      if (batch.length < 500) continue
      await Promise.all(batch)
      batch = []
    }
    await Promise.all(batch)
  })
  return missing

  async function restoreImage({ path, sha256, size }: BackupFile): Promise<void> {
    const [, kind = '', name = ''] = path.split('/')
    if (!(STORED_KINDS as readonly string[]).includes(kind) || !isContentName(name) || name !== sha256) throw damaged(id, [path])
    const { store } = place.storage
    if ((await store.sizeOf(kind as StoredKind, sha256)) === size) return
    const temporary = await store.temporaryPath()
    try {
      if (await copyContent(target, sha256, temporary, { signal, mode: 0o444 })) await store.keep(kind as StoredKind, temporary, sha256)
      else if (kind !== 'variants') missing.push(path)
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async function restoreFile({ path, sha256 }: BackupFile): Promise<void> {
    const [folder = '', ...rest] = path.split('/')
    const root = place.folders[folder as keyof BackupFolders] as string | undefined
    if (root === undefined || rest.length === 0) throw damaged(id, [path])
    const purpose = PURPOSES.find((it) => path === `settings/${it}.key`)
    if (purpose && (newKeys || place.keys[purpose].length > 0)) return
    const to = join(root, ...rest)
    const there = await stat(to).catch(() => null)
    if (there && (purpose || (await hashFile(to)) === sha256)) return
    await mkdir(dirname(to), { recursive: true, mode: 0o700 })
    const unfinished = `${to}.restore-part`
    if (!(await copyContent(target, sha256, unfinished, { signal, mode: 0o600 }))) {
      await rm(unfinished, { force: true })
      throw damaged(id, [path])
    }
    await fsyncPath(unfinished)
    await rename(unfinished, to)
  }
}

async function fillDatabase({ databaseUrl }: RestorePlace, { target, manifest, log, signal }: RestoreOptions): Promise<void> {
  const { sha256, digests } = manifest.database
  await withContent(
    target,
    { id: manifest.id, sha256, name: 'the dump of the database' },
    (file) =>
      restoreDatabase(databaseUrl, file, {
        log,
        upgrade: false,
        async beforeCommit(client) {
          await compareDigests(client, digests)
          await client.query(
            'insert into instance_property (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
            [RESTORED_FROM, manifest.id],
          )
        },
      }),
    signal,
  )
}

/** Ties the database to its new place. May run twice. */
async function settle({ databaseUrl, storage }: RestorePlace, lost: Purpose[]) {
  await using opened = new AsyncDisposableStack()
  const db = opened.adopt(openDatabase(databaseUrl), (it) => it.$disconnect())
  await db.instanceProperty.upsert({
    where: { name: 'storage_id' },
    create: { name: 'storage_id', value: storage.id },
    update: { value: storage.id },
  })
  // A backup that was running at its own moment never ends here.
  await db.backup.deleteMany({ where: { state: { in: ['queued', 'running'] } } })
  let secrets_forgotten = 0
  let edge_tokens: { store: string; name: string }[] = []
  if (lost.includes('credentials')) secrets_forgotten = await deleteEncrypted(db, ENCRYPTED_COLUMNS)
  if (lost.includes('jwt')) {
    await db.instanceProperty.deleteMany({ where: { name: 'jwt_key' } })
    const tokens = await db.edgeToken.findMany({ where: { revoked_at: null }, include: { store: true }, orderBy: { created_at: 'asc' } })
    edge_tokens = tokens.map(({ name, store }) => ({ store: store.code, name }))
    await db.edgeToken.updateMany({ where: { revoked_at: null }, data: { revoked_at: new Date() } })
  }
  return { secrets_forgotten, edge_tokens }
}
