import { MAX_ENTRY_BYTES } from './download-archive.ts'
import type { PhotoTable } from './photo-table.ts'
import type { PendingDownload } from './state.ts'

/**
 * Photos and bytes of one archive: large enough that its request costs nothing, small enough that
 * several streams share the work to the end.
 */
const ARCHIVE_PHOTOS = 200
const ARCHIVE_BYTES = 8 * 1024 * 1024
/**
 * At the end archives become smaller, so that all streams end together and the connection never
 * waits for one of them.
 */
const SMALLEST_ARCHIVE_BYTES = 1024 * 1024
/** Fewer than this are downloaded singly. */
const FEW = 4

export type WorkQueue = ReturnType<typeof createQueue>

/**
 * Photos that wait for a stream, in the order of the list. `begun`: ids of partially stored ones.
 */
export function createQueue({
  begun,
  wanted,
  streams,
  archiveBytes = ARCHIVE_BYTES,
  onTaken = () => {},
}: {
  begun: ReadonlySet<string>
  /** What is still wanted. */
  wanted: Pick<PhotoTable['pending'], 'at'>
  streams: number
  /** The most in one archive: less where others wait for its photos. */
  archiveBytes?: number
  /** Called when a stream has taken photos. */
  onTaken?(): void
}) {
  /** By their order, since 100,000 photos as objects take 20 MB. */
  const queue: number[] = []
  let head = 0
  /** What an archive did not deliver comes first. */
  const returned: number[] = []
  /** Photos that no archive can contain. */
  const alone = new Set(begun)
  let archives = true
  /** Archives in progress: photos that they do not deliver come back. */
  let batches = 0
  const waiting = new Set<() => void>()
  let bytesLeft = 0
  let ended = false
  function wake(): void {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }
  const length = () => returned.length + queue.length - head
  /** What comes next; what is no longer wanted is left out. */
  function peek(): PendingDownload | undefined {
    while (length() > 0) {
      const next = wanted.at((returned[0] ?? queue[head]) as number)
      if (next) return next
      skip()
    }
    bytesLeft = 0
    return undefined
  }
  function skip(): void {
    if (returned.length > 0) returned.shift()
    else head++
    if (head < 10_000) return
    queue.splice(0, head)
    head = 0
  }
  function shift(): PendingDownload | undefined {
    const pending = peek()
    if (pending) skip()
    bytesLeft -= pending?.size ?? 0
    return pending
  }

  return {
    add(pending: PendingDownload): void {
      queue.push(pending.order)
      bytesLeft += pending.size ?? 0
      wake()
    },
    /** What waits for a stream. */
    waiting: () => ({ photos: length(), bytes: bytesLeft }),
    /** From now on each photo is downloaded singly. */
    withoutArchives(): void {
      archives = false
    },
    /** An archive has ended: what it did not deliver is downloaded singly, by any free stream. */
    giveBack(pending: PendingDownload[]): void {
      batches--
      for (const item of pending) {
        alone.add(item.id)
        bytesLeft += item.size ?? 0
      }
      returned.unshift(...pending.map(({ order }) => order))
      wake()
    },
    /** Nothing more is listed: a stream ends when nothing is left and nothing can come back. */
    end(): void {
      ended = true
      wake()
    },
    /**
     * Returns the next photos for one stream: partial ones singly, since an archive cannot begin in
     * the middle. More than one are an archive, which `giveBack` ends. Empty: call again after
     * `changed`, or the queue has ended.
     */
    nextBatch(): PendingDownload[] {
      const first = shift()
      if (!first) return []
      onTaken()
      const single = (pending: PendingDownload) =>
        !archives || alone.has(pending.id) || pending.sha256 === null || (pending.size ?? 0) > MAX_ENTRY_BYTES
      if (single(first) || length() < FEW) return [first]
      const most = ended ? Math.min(archiveBytes, Math.max(SMALLEST_ARCHIVE_BYTES, bytesLeft / (2 * streams))) : archiveBytes
      const batch = [first]
      let bytes = first.size ?? 0
      while (batch.length < ARCHIVE_PHOTOS && bytes < most) {
        const next = peek()
        if (!next || single(next)) break
        shift()
        batch.push(next)
        bytes += next.size ?? 0
      }
      if (batch.length > 1) batches++
      return batch
    },
    hasEnded: () => ended && batches === 0 && length() === 0,
    /** Resolves when photos were added, or when none will be. */
    changed: () => (ended && batches === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.add(resolve))),
  }
}
