import type { Wanted } from './state.ts'

/** Photos and bytes of one archive: large enough that its request costs nothing, small enough that several share the work to the end. */
const ARCHIVE_PHOTOS = 200
const ARCHIVE_BYTES = 8 * 1024 * 1024
/** At the end archives become smaller, so that all streams end together and the line never waits for one of them. */
const SMALLEST_ARCHIVE_BYTES = 1024 * 1024
/** Fewer than this are fetched one by one. */
const FEW = 4

export type Queue = ReturnType<typeof createQueue>

/** Photos that wait for a stream, in the order of the list. `begun`: ids of those whose beginning is here already. */
export function createQueue({ begun, streams }: { begun: ReadonlySet<string>; streams: number }) {
  const queue: Wanted[] = []
  const waiting = new Set<() => void>()
  let bytesLeft = 0
  let ended = false
  function wake(): void {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }
  function shift(): Wanted | undefined {
    const want = queue.shift()
    bytesLeft -= want?.size ?? 0
    return want
  }

  return {
    add(want: Wanted): void {
      queue.push(want)
      bytesLeft += want.size ?? 0
      wake()
    },
    /** Nothing more comes: whoever waits goes home. */
    end(): void {
      ended = true
      wake()
    },
    /** The next photos for one stream: those that were begun alone, since an archive cannot go on in the middle. Empty: look again, or it has ended. */
    take(): Wanted[] {
      const first = shift()
      if (!first) return []
      if (begun.has(first.id) || first.sha256 === null || queue.length < FEW) return [first]
      const most = ended ? Math.min(ARCHIVE_BYTES, Math.max(SMALLEST_ARCHIVE_BYTES, bytesLeft / (2 * streams))) : ARCHIVE_BYTES
      const batch = [first]
      let bytes = first.size ?? 0
      while (batch.length < ARCHIVE_PHOTOS && bytes < most) {
        const next = queue[0]
        if (!next || begun.has(next.id) || next.sha256 === null) break
        shift()
        batch.push(next)
        bytes += next.size ?? 0
      }
      return batch
    },
    hasEnded: () => ended && queue.length === 0,
    /** Resolves when something came, or nothing more will. */
    news: () => (ended ? Promise.resolve() : new Promise<void>((resolve) => waiting.add(resolve))),
  }
}
