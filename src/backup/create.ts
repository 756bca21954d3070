import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import pLimit from 'p-limit'
import { dumpDatabase } from '../database/dump.ts'
import { tableDigests } from '../database/table-digests.ts'
import type { BlobStore } from '../images/storage/blob-store.ts'
import { hashFile } from '../images/storage/move-storage.ts'
import { NotFoundError } from '../lib/errors.ts'
import { type BackupFile, type Manifest, writeManifest } from './manifest.ts'
import { type BackupFolders, filesIn, imagesIn, type WantedImage } from './sources.ts'
import type { BackupTarget } from './target.ts'

export interface BackupSource {
  databaseUrl: string
  store: BlobStore
  folders: BackupFolders
  /** The keys in use, newest first; they are only copied with `withKeys`. */
  keys(): { jwt: Buffer[]; credentials: Buffer[] }
}

export interface CreateBackupOptions {
  target: BackupTarget
  withKeys: boolean
  signal: AbortSignal
  /** In files, of which images are most. */
  onProgress?(done: number, total: number): void
}

const AT_ONCE = 4
const LISTED_MISSING = 1_000

/**
 * Writes a backup: the database as of one moment, and every file that is not there yet. The
 * manifest comes last, so what a killed attempt leaves is no backup, and the next one finds the
 * contents that it wrote.
 */
export async function createBackup(source: BackupSource, { target, withKeys, signal, onProgress }: CreateBackupOptions): Promise<Manifest> {
  const dir = await mkdtemp(join(target.workDir, `${process.pid}-`))
  const { content } = target
  const counts = { images: 0, files: 0, bytes: 0, added: { files: 0, bytes: 0 } }
  const missing: string[] = []
  const unfinishedList = join(dir, 'files.jsonl')
  const list = createWriteStream(unfinishedList)
  list.on('error', () => {}) // its end reports it
  const limit = pLimit(AT_ONCE)
  const note = (file: BackupFile) => {
    counts.files++
    counts.bytes += file.size
    list.write(`${JSON.stringify(file)}\n`)
  }

  /** Copies under the hash of the copied bytes; with `expected` only if that is their hash. */
  async function keep(open: () => Promise<Readable>, expected?: string): Promise<{ sha256: string; size: number } | null> {
    const temporary = await content.temporaryPath()
    try {
      const hash = createHash('sha256')
      let size = 0
      await pipeline(
        await open(),
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            hash.update(chunk)
            size += chunk.length
            yield chunk
          }
        },
        createWriteStream(temporary, { flags: 'wx', mode: 0o600 }),
        { signal },
      )
      const sha256 = hash.digest('hex')
      if (expected !== undefined && sha256 !== expected) return null
      await content.keep('content', temporary, sha256)
      counts.added.files++
      counts.added.bytes += size
      return { sha256, size }
    } finally {
      await rm(temporary, { force: true })
    }
  }

  /** A file that may change meanwhile: what is copied is what is listed. */
  async function keepFile(path: string): Promise<{ sha256: string; size: number } | null> {
    try {
      const sha256 = await hashFile(path)
      const size = await content.sizeOf('content', sha256)
      if (size !== null && size === (await stat(path)).size) return { sha256, size }
      return await keep(async () => createReadStream(path))
    } catch (error) {
      // A pull renames its folder when it ends: the new name is in the next backup.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }

  try {
    await content.sweep()
    const wanted: WantedImage[] = []
    let digests: Manifest['database']['digests'] = {}
    let facts = { at: new Date(), jwt: null as string | null, credentials: null as string | null }
    const dump = join(dir, 'database.gz')
    const { tables, rows } = await dumpDatabase(source.databaseUrl, dump, {
      async inSnapshot(client) {
        digests = await tableDigests(client)
        const [moment] = (await client.query<{ at: Date }>('select now() as at')).rows
        const { rows: properties } = await client.query<{ name: string; value: string }>('select name, value from instance_property')
        const property = (name: string) => properties.find((it) => it.name === name)?.value ?? null
        facts = { at: moment?.at ?? new Date(), jwt: property('jwt_key'), credentials: property('credentials_key') }
        for await (const page of imagesIn(client)) wanted.push(...page)
      },
    })
    signal.throwIfAborted()
    const database = await keepFile(dump)
    if (!database) throw new Error('The dump of the database has vanished')

    const files = await Array.fromAsync(filesIn(source.folders))
    const total = wanted.length + files.length
    let done = 0
    for (const images of byShard(wanted)) {
      const there = new Map<string, number>()
      for await (const { sha256, size } of content.list('content', images[0]!.sha256.slice(0, 2))) there.set(sha256, size)
      const copies = new Map<string, Promise<number | null>>()
      const copy = ({ kind, sha256 }: WantedImage) =>
        limit(async () => {
          signal.throwIfAborted()
          const kept = await keep(async () => (await source.store.open(kind, sha256)).stream, sha256).catch((error: unknown) => {
            if (error instanceof NotFoundError) return null
            throw error
          })
          return kept?.size ?? null
        })
      const sizes = await Promise.all(
        images.map((image) => {
          const known = there.get(image.sha256)
          if (known !== undefined) return known
          const copying = copies.get(image.sha256) ?? copy(image)
          copies.set(image.sha256, copying)
          return copying
        }),
      )
      for (const [n, { kind, sha256 }] of images.entries()) {
        const size = sizes[n]
        const path = `images/${kind}/${sha256}`
        if (size !== null && size !== undefined) {
          if (kind === 'originals') counts.images++
          note({ path, sha256, size })
        } else if (kind !== 'variants' && missing.length < LISTED_MISSING) missing.push(path) // a variant is made again
        onProgress?.(++done, total)
      }
    }
    for (const { name, path } of files) {
      signal.throwIfAborted()
      const kept = await keepFile(path)
      if (kept) note({ path: name, ...kept })
      onProgress?.(++done, total)
    }
    if (withKeys) {
      for (const [purpose, keys] of Object.entries(source.keys())) {
        const name = `${purpose}.key`
        const path = join(dir, name)
        await writeFile(path, keys.map((key) => `${key.toString('base64')}\n`).join(''), { mode: 0o600 })
        const kept = await keepFile(path)
        if (kept) note({ path: `settings/${name}`, ...kept })
      }
    }
    await new Promise<void>((resolve, reject) => list.end((error?: Error | null) => (error ? reject(error) : resolve())))
    const zipped = join(dir, 'files.jsonl.gz')
    await pipeline(createReadStream(unfinishedList), createGzip(), createWriteStream(zipped))
    const fileList = await keepFile(zipped)
    if (!fileList) throw new Error('The list of the files has vanished')

    signal.throwIfAborted()
    const manifest: Manifest = {
      format: 1,
      id: `${facts.at.toISOString().replace(/[-:.]/g, '')}-${randomUUID().slice(0, 8)}`,
      created_at: facts.at.toISOString(),
      finished_at: new Date().toISOString(),
      state: missing.length > 0 ? 'partial' : 'success',
      database: { ...database, tables, rows, digests },
      file_list: fileList,
      ...counts,
      missing,
      keys: { included: withKeys, jwt: facts.jwt, credentials: facts.credentials },
    }
    await writeManifest(target, manifest)
    return manifest
  } finally {
    limit.clearQueue()
    list.destroy()
    await rm(dir, { recursive: true, force: true })
  }
}

/** Splits what is sorted by hash into groups with the same first two digits. */
function* byShard(images: WantedImage[]): Generator<WantedImage[]> {
  for (let from = 0; from < images.length; ) {
    const shard = images[from]!.sha256.slice(0, 2)
    let to = from
    while (images[to]?.sha256.startsWith(shard)) to++
    yield images.slice(from, to)
    from = to
  }
}
