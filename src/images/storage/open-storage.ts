import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BlobStore, STORED_KINDS } from './blob-store.ts'
import { createFileStore } from './file-store.ts'
import { createMigratingStore } from './migrating-store.ts'
import type { S3Settings } from './s3-store.ts'

export interface Storage extends AsyncDisposable {
  /** The store that the application uses; during a move, both storages as one. */
  store: BlobStore
  /** Stored with the images; the database knows the id of its storage. */
  id: string
  /** The two storages while the old one still has images; null when there is nothing to move. */
  moving: { from: BlobStore; to: BlobStore } | null
}

export interface StorageSettings {
  kind: 'file' | 's3'
  s3: Omit<S3Settings, 'bucket'> & { bucket: string | undefined }
}

const BUCKET_ID = '.zinc-storage-id'

/** The bucket's library is large, so it is loaded only where a bucket is used. */
async function openBucket(settings: S3Settings, temporary: string) {
  const { createS3Store } = await import('./s3-store.ts')
  return createS3Store(settings, temporary)
}

/**
 * Opens the storage that STORAGE names. When the other one has the images of this database
 * (`knownId`), it is read as well until `zinc images migrate-storage` has moved them. A storage
 * with another id, or an empty one in its place, is refused later by its id.
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
    // An empty storage gets the database's id only if the old one is available: otherwise it would
    // be taken for the one with the images.
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
    /** Of two concurrent first starts, both end with the id that is stored afterwards. */
    async claim(id: string): Promise<string> {
      await write(id).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
      return (await trimmed()) ?? id
    },
  }
}

/** Of any kind: an interrupted move may have left only variants and waiting imports. */
async function hasAny(store: BlobStore): Promise<boolean> {
  for (const kind of STORED_KINDS) for await (const _ of store.list(kind)) return true
  return false
}
