import { gunzipSync, gzipSync } from 'node:zlib'

/** Compressed; a page of a thousand photos has about 300 KB. */
const MAX_BYTES = 16 * 1024 * 1024
/** Deletions that are older than the kept ones would be missing from an old page. */
const MAX_AGE_MS = 86_400_000

/**
 * Pages of the list as head office signed them, by the cursor that was asked. An old page is still
 * a right step: what changed after it comes after its own next cursor.
 */
export function createListCache() {
  const pages = new Map<string, { gzip: Buffer; signature: string; at: number }>()
  let bytes = 0
  function remove(cursor: string): void {
    bytes -= pages.get(cursor)?.gzip.length ?? 0
    pages.delete(cursor)
  }
  function find(cursor: string): { gzip: Buffer; signature: string } | null {
    const page = pages.get(cursor)
    if (page && performance.now() - page.at > MAX_AGE_MS) remove(cursor)
    return pages.get(cursor) ?? null
  }
  return {
    find,
    read(cursor: string): string | null {
      const page = find(cursor)
      return page && gunzipSync(page.gzip).toString('utf8')
    },
    add(cursor: string, body: string, signature: string): void {
      remove(cursor)
      const gzip = gzipSync(body)
      pages.set(cursor, { gzip, signature, at: performance.now() })
      bytes += gzip.length
      for (const oldest of pages.keys()) {
        if (bytes <= MAX_BYTES) break
        remove(oldest)
      }
    },
    clear(): void {
      pages.clear()
      bytes = 0
    },
  }
}
