import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import pLimit from 'p-limit'
import { type BlobStore, STORED_KINDS, type StoredKind } from './blob-store.ts'

export interface MoveCounts {
  copied: number
  /** Already in the new storage. */
  there: number
  /**
   * Their bytes do not match their name: they stay in the old storage, for `zinc images verify`.
   */
  damaged: number
  removed: number
}

export interface MoveOptions {
  from: BlobStore
  to: BlobStore
  /** Delete each file from the old storage once it was read back completely from the new one. */
  removeOld: boolean
  onProgress(counts: MoveCounts): void
  signal: AbortSignal
}

const AT_ONCE = 8

/**
 * Copies every file from one storage to the other and checks its hash. It can be killed and started
 * again at any moment: files that are copied already are skipped, and the old file is deleted only
 * after the new one was read back with the right hash.
 */
export async function moveStorage({ from, to, removeOld, onProgress, signal }: MoveOptions): Promise<MoveCounts> {
  const counts: MoveCounts = { copied: 0, there: 0, damaged: 0, removed: 0 }
  const limit = pLimit(AT_ONCE)
  const failed = new AbortController()
  for (const kind of STORED_KINDS) {
    const underWay = new Set<Promise<void>>()
    for await (const { sha256, size } of from.list(kind)) {
      signal.throwIfAborted()
      failed.signal.throwIfAborted()
      const one = limit(async () => {
        const there = (await to.sizeOf(kind, sha256)) === size && (!removeOld || (await hashIn(to, kind, sha256)) === sha256)
        if (there) counts.there++
        else if (await copy(from, to, kind, sha256, signal)) counts.copied++
        else {
          counts.damaged++
          return
        }
        if (!removeOld) return
        if (there || (await hashIn(to, kind, sha256)) === sha256) {
          await from.remove(kind, sha256)
          counts.removed++
        } else counts.damaged++
      })
        .catch((error: unknown) => failed.abort(error))
        .then(() => {
          underWay.delete(one)
          onProgress(counts)
        })
      underWay.add(one)
      if (underWay.size > AT_ONCE * 4) await Promise.race(underWay)
    }
    await Promise.all(underWay)
    failed.signal.throwIfAborted()
  }
  return counts
}

/** False when the old bytes do not match their name. */
async function copy(from: BlobStore, to: BlobStore, kind: StoredKind, sha256: string, signal: AbortSignal): Promise<boolean> {
  const path = await to.temporaryPath()
  try {
    const { stream } = await from.open(kind, sha256)
    const hash = createHash('sha256')
    await pipeline(
      stream,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(path, { flags: 'wx', mode: 0o444 }),
      { signal },
    )
    if (hash.digest('hex') !== sha256) return false
    await to.keep(kind, path, sha256)
    return true
  } finally {
    await rm(path, { force: true })
  }
}

/** Returns the hash of the bytes that are stored there. */
export async function hashIn<Kind extends string>(store: Pick<BlobStore<Kind>, 'open'>, kind: Kind, sha256: string): Promise<string> {
  return hashStream((await store.open(kind, sha256)).stream)
}
export const hashFile = (path: string): Promise<string> => hashStream(createReadStream(path))

async function hashStream(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of stream) hash.update(chunk)
  return hash.digest('hex')
}
