import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Blob } from '../../generated/client.ts'
import { fetchImageUrl, type UrlFetcher } from '../../images/fetch/fetch-url.ts'
import type { RepairDeps } from '../../images/integrity/repair-run.ts'
import { type IngestDeps, ingestImage } from '../../images/processing/ingest.ts'
import { BadGatewayError, InvalidImageError } from '../../lib/errors.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { documentImage, itemImage } from '../../zoho/inventory.ts'
import type { PendingImage } from './pending-images.ts'

export interface FetchImageDeps {
  /** Null: only images behind URLs can be fetched. */
  zoho: ZohoClient | null
  urls: UrlFetcher
  ingest: IngestDeps
  /** True: make no call while the circuit is open; see zoho/circuit-breaker.ts. */
  useBreaker?: boolean
}

export interface FetchImageOptions {
  runId: string
  signal: AbortSignal
  job?: 'image' | 'recheck' | undefined
}

/** A connection may break; a sender that breaks off each time is not retried for ever. */
const ATTEMPTS = 3
/** Codes that an interrupted transfer can cause as well. */
const DAMAGED = new Set(['truncated', 'corrupt'])

/**
 * Fetches one image and stores it. An interrupted transfer is retried. An image that comes twice
 * with the same truncated but decodable bytes is how the source has it, and is kept as damaged.
 * Throws what ingestImage and the sources throw.
 */
export async function fetchImage(deps: FetchImageDeps, work: PendingImage, { runId, signal, job }: FetchImageOptions): Promise<Blob> {
  /** The hash of the damaged bytes; if the next transfer brings the same, they are accepted. */
  let damaged: string | null = null
  for (let tries = 1; ; tries++) {
    const { body, contentLength, done } = await openImage(deps, work, { runId, signal, job })
    const hash = createHash('sha256')
    try {
      const blob = await ingestImage(deps.ingest, hashed(body, hash), signal, {
        expectedBytes: contentLength,
        acceptDamaged: damaged !== null,
      })
      const bytes = hash.digest('hex')
      if (!blob.damaged || bytes === damaged) return blob
      if (tries >= ATTEMPTS) throw new InvalidImageError('truncated.differently')
      damaged = bytes
    } catch (error) {
      signal.throwIfAborted()
      if (tries >= ATTEMPTS) throw error
      if (error instanceof InvalidImageError && DAMAGED.has(error.code) && damaged === null) damaged = hash.digest('hex')
      else if (!brokeOff(error)) throw error
    } finally {
      body.destroy()
      await done()
    }
  }
}

/** The transfer broke off: the sender's trouble, or the line's. */
export const brokeOff = (error: unknown): boolean =>
  (error instanceof BadGatewayError && ['incomplete', 'image_url_failed'].includes(error.code)) ||
  (error instanceof Error && /^(UND_ERR|ECONN|EPIPE|ABORT_ERR|ERR_STREAM_PREMATURE_CLOSE)/.test(codeOf(error)))
const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.name === 'TimeoutError' ? 'ABORT_ERR' : '')

function openImage(
  { zoho, urls, useBreaker }: FetchImageDeps,
  work: PendingImage,
  { runId, signal, job }: FetchImageOptions,
): Promise<{ body: Readable; contentLength: number | null; done(): Promise<void> }> {
  if (work.kind === 'zoho' && zoho) return itemImage(zoho, { itemId: work.zoho_item_id, runId, useBreaker, job }, signal)
  return fetchImageUrl(urls, work.image_source_url ?? '', signal).then((fetched) => ({ ...fetched, done: async () => {} }))
}

function hashed(body: Readable, hash: ReturnType<typeof createHash>): Readable {
  return Readable.from(
    (async function* () {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        hash.update(chunk)
        yield chunk
      }
    })(),
    { objectMode: false },
  )
}

/**
 * Fetches from Zoho again an image whose bytes were lost here: the item's own, or a document of its
 * gallery.
 */
export const refetchImage =
  (openZoho: () => Promise<ZohoClient>): NonNullable<RepairDeps['fromZoho']> =>
  async ({ zoho_item_id, document_id, kind }, signal) => {
    const zoho = await openZoho()
    const { body, done } =
      kind === 'gallery' && document_id !== null
        ? await documentImage(zoho, { documentId: document_id }, signal)
        : await itemImage(zoho, { itemId: zoho_item_id }, signal)
    return { body, close: done }
  }
