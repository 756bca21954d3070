import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { LRUCache } from 'lru-cache'
import { NotFoundError } from '../../lib/errors.ts'
import type { BlobStore, StoredKind } from './blob-store.ts'

/** Memory for images that are requested often; a shop's image is about 100 KB. */
const KEPT_BYTES = 48 * 1024 * 1024
/** Larger files are streamed: each would evict dozens of others. */
const LARGEST_BYTES = 1024 * 1024

export interface StoredFile {
  kind: StoredKind
  sha256: string
  size: number
}

export type FileCache = ReturnType<typeof createFileCache>

/**
 * Reads stored files: small ones through a bounded cache, checked against their hash when loaded,
 * others as a stream. Concurrent requests for the same uncached file read it once.
 */
export function createFileCache(store: BlobStore) {
  const hot = new LRUCache<string, Buffer>({ maxSize: KEPT_BYTES, sizeCalculation: (bytes) => Math.max(bytes.length, 1) })
  const loading = new Map<string, Promise<Buffer>>()

  async function load({ kind, sha256, size }: StoredFile): Promise<Buffer> {
    const opened = await store.open(kind, sha256)
    const chunks: Buffer[] = []
    for await (const chunk of opened.stream) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    if (bytes.length !== size || createHash('sha256').update(bytes).digest('hex') !== sha256) throw damaged()
    hot.set(`${kind} ${sha256}`, bytes)
    return bytes
  }

  return {
    /**
     * Returns the whole file, or the part from `start` to `end` (both inclusive). Throws
     * NotFoundError `image_file_missing` or `image_file_damaged`.
     */
    async open(file: StoredFile, part?: { start: number; end: number }): Promise<Buffer | Readable> {
      const key = `${file.kind} ${file.sha256}`
      const known = hot.get(key)
      if (known) return part ? known.subarray(part.start, part.end + 1) : known
      if (file.size <= LARGEST_BYTES) {
        let bytes = loading.get(key)
        if (!bytes) {
          bytes = load(file).finally(() => loading.delete(key))
          loading.set(key, bytes)
        }
        const all = await bytes
        return part ? all.subarray(part.start, part.end + 1) : all
      }
      const { size, stream } = await store.open(file.kind, file.sha256, part)
      if (size === file.size) return stream
      stream.destroy()
      throw damaged()
    },
  }
}

const damaged = () => new NotFoundError('image_file_damaged')
