import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { lockInTransaction } from '../database/locks.ts'
import type { Database } from '../db.ts'
import { TooLarge } from '../errors.ts'
import type { Blob } from '../generated/client.ts'
import type { Decoder } from './decoder.ts'
import type { PhotoStore } from './store.ts'

/** Changes whenever the settings below do, so that other settings make other files. */
export const RECIPE = 'v1'
/** Longest sides in pixels, largest first since the smaller is made from the larger. WebP effort 2: measured, a third of the time of 4 for 3 % more bytes. */
export const VARIANTS = [
  { name: 'medium', side: 600, format: 'webp', quality: 80, effort: 2 },
  { name: 'thumb', side: 200, format: 'webp', quality: 78, effort: 2 },
] as const

export interface IngestDeps {
  db: Database
  store: PhotoStore
  decoder: Decoder
  limits: { maxBytes: number; maxPixels: number; maxSide: number }
}

export interface IngestOptions {
  acceptDamaged?: boolean
  /** What the sender said the length is; a shorter or longer body is a fault of the line. */
  expectedBytes?: number | null
}

/**
 * Takes a picture in: gathers and hashes it, judges its bytes, makes its variants, and writes blob and variant rows, in that order.
 * Bytes that are known already are not decoded again. Throws TooLarge, BadImage, UnsupportedType.
 */
export async function ingestPicture(
  deps: IngestDeps,
  bytes: Readable,
  signal: AbortSignal,
  { acceptDamaged = false, expectedBytes = null }: IngestOptions = {},
): Promise<Blob> {
  const { db, store, decoder, limits } = deps
  const path = await store.temporaryPath()
  const outputs: string[] = []
  try {
    const sha256 = await gather(bytes, path, { maxBytes: limits.maxBytes, expectedBytes, signal })
    const known = await db.blob.findUnique({ where: { sha256 } })
    if (known && !known.orphaned_at && (await store.has('originals', sha256))) return known
    const variants = []
    for (const variant of VARIANTS) {
      const output = await store.temporaryPath()
      outputs.push(output)
      variants.push({ ...variant, output })
    }
    const { picture, variants: made } = await decoder.decode(
      { path, variants, maxPixels: limits.maxPixels, maxSide: limits.maxSide, acceptDamaged },
      signal,
    )
    for (const [n, variant] of made.entries()) await store.keepVariant(outputs[n]!, variant.sha256)
    const { sha256: id, ...facts } = picture
    return await db.$transaction(async (tx) => {
      // The sweep that removes bytes without a reference takes the same lock, so it cannot remove these between the rename and the row.
      await lockInTransaction(tx, `blob ${id}`)
      if (!(await store.has('originals', id))) await store.keepOriginal(path, id)
      const blob = await tx.blob.upsert({ where: { sha256: id }, create: { sha256: id, ...facts }, update: { orphaned_at: null } })
      await tx.variant.createMany({
        data: made.map((variant) => ({ ...variant, source_sha256: id, recipe: RECIPE, content_type: `image/${variant.format}` })),
        skipDuplicates: true,
      })
      return blob
    })
  } finally {
    await Promise.all([path, ...outputs].map((file) => rm(file, { force: true })))
  }
}

class CutShort extends Error {}

async function gather(
  bytes: Readable,
  path: string,
  { maxBytes, expectedBytes, signal }: { maxBytes: number; expectedBytes: number | null; signal: AbortSignal },
): Promise<string> {
  const hash = createHash('sha256')
  let size = 0
  await pipeline(
    bytes,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        size += chunk.length
        if (size > maxBytes)
          throw new TooLarge('picture_too_large', `The picture is larger than ${maxBytes} bytes`, {
            remedy: 'Send a smaller one, or raise MAX_UPLOAD_BYTES.',
          })
        hash.update(chunk)
        yield chunk
      }
    },
    createWriteStream(path, { flags: 'wx' }),
    { signal },
  )
  if (expectedBytes !== null && size !== expectedBytes) throw new CutShort(`${size} bytes came, ${expectedBytes} were announced`)
  return hash.digest('hex')
}
