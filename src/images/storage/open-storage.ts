import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BlobStore, STORED_KINDS } from './blob-store.ts'
import { createFileStore } from './file-store.ts'
import { createMigratingStore } from './migrating-store.ts'
import type { S3Settings } from './s3-store.ts'

export interface Storage extends AsyncDisposable {
  /** What everybody uses; while pictures move, both places as one. */
  store: BlobStore
  /** Written where the pictures are; the database knows the one that belongs to it. */
  id: string
  /** The two places while the old one still holds pictures; null when there is nothing to move. */
  moving: { from: BlobStore; to: BlobStore } | null
}

export interface StorageSettings {
  kind: 'file' | 's3'
  s3: Omit<S3Settings, 'bucket'> & { bucket: string | undefined }
}

const BUCKET_ID = '.zinc-storage-id'

/** The bucket's library is large and read only by those who have a bucket. */
async function openBucket(settings: S3Settings, temporary: string) {
  const { createS3Store } = await import('./s3-store.ts')
  return createS3Store(settings, temporary)
}

/**
 * Opens the place that STORAGE names. When the other place holds the pictures of this database (`knownId`), it is read as well until
 * `zinc images migrate-storage` has moved them; a place with another id, or an empty one in its stead, is refused later by its id.
 */
export async function openStorage({ kind, s3 }: StorageSettings, imagesDir: string, knownId: string | null): Promise<Storage> {
  await mkdir(imagesDir, { recursive: true })
  const file = createFileStore(imagesDir)
  const bucket = s3.bucket === undefined ? null : await openBucket({ ...s3, bucket: s3.bucket }, join(imagesDir, 'tmp'))
  const diskId = idPlace(
    () => readFile(join(imagesDir, '.storage-id'), 'utf8').catch(() => null),
    (id) => writeFile(join(imagesDir, '.storage-id'), `${id}\n`, { flag: 'wx' }),
  )
  const bucketId =
    bucket &&
    idPlace(
      () => bucket.readText(BUCKET_ID),
      (id) => bucket.writeText(BUCKET_ID, `${id}\n`),
    )
  const [to, toId, from, fromId] =
    kind === 's3' && bucket && bucketId ? ([bucket, bucketId, file, diskId] as const) : ([file, diskId, bucket, bucketId] as const)
  try {
    const other = from && fromId && knownId !== null && (await fromId.read()) === knownId ? from : null
    let id = await toId.read()
    // A fresh place takes the database's id only if the old place is at hand: else it would pass for the one with the pictures.
    if (id === null) id = await toId.claim(other && knownId !== null ? knownId : randomUUID())
    const moving = other && id === knownId && (await hasAny(other)) ? { from: other, to } : null
    return {
      store: moving ? createMigratingStore(to, moving.from) : to,
      id,
      moving,
      async [Symbol.asyncDispose]() {
        bucket?.close()
      },
    }
  } catch (error) {
    bucket?.close()
    throw error
  }
}

function idPlace(read: () => Promise<string | null>, write: (id: string) => Promise<void>) {
  const trimmed = async () => (await read())?.trim() || null
  return {
    read: trimmed,
    /** Of two first starts at once, both end with the id that stands there afterwards. */
    async claim(id: string): Promise<string> {
      await write(id).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
      return (await trimmed()) ?? id
    },
  }
}

/** Of any kind: a move that was killed may have left variants and waiting imports only. */
async function hasAny(store: BlobStore): Promise<boolean> {
  for (const kind of STORED_KINDS) for await (const _ of store.list(kind)) return true
  return false
}
