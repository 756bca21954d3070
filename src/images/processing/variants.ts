import { rm } from 'node:fs/promises'
import type { Database } from '../../database/client.ts'
import type { VariantName } from '../../facts/variants.ts'
import type { Variant } from '../../generated/client.ts'
import type { BlobStore } from '../storage/blob-store.ts'
import { toStorageError } from '../storage/disk-space.ts'
import { EFFORT, type EncodedFormat, type VariantConfig } from './variant-settings.ts'
import type { WorkerPool } from './worker-pool.ts'

export interface MakeVariantDeps {
  db: Database
  store: BlobStore
  workers: WorkerPool
}

/**
 * Limits were checked when the original arrived; an image that was accepted then is served whatever
 * the limits are now.
 */
const NO_LIMITS = { maxPixels: 268_000_000, maxSide: 65_000 }
/**
 * With more than this waiting for a decoder, a request is refused with a retry hint instead of
 * waiting.
 */
const MAX_WAITING = 64

/**
 * Makes variants of stored bytes in one decode and writes their rows. Throws
 * ServiceUnavailableError `overloaded` when `shed` is set and too many wait already.
 */
export async function makeVariants(
  { db, store, workers }: MakeVariantDeps,
  {
    sha256,
    config: variantConfig,
    wanted: requested,
  }: { sha256: string; config: VariantConfig; wanted: { name: VariantName; format: EncodedFormat }[] },
  signal: AbortSignal,
  { shed }: { shed: boolean },
): Promise<Variant[]> {
  const outputs: string[] = []
  try {
    const variants = []
    for (const { name, format } of requested) {
      const output = await store.temporaryPath()
      outputs.push(output)
      variants.push({
        name,
        format,
        side: variantConfig.sizes[name],
        quality: format === 'png' ? 100 : variantConfig.quality[format],
        effort: EFFORT[format],
        output,
      })
    }
    await using original = await store.openLocal('originals', sha256, signal)
    // The same as on arrival, whichever variants are made: other bytes would be downloaded again by
    // every edge server.
    const through = Math.max(...Object.values(variantConfig.sizes))
    const job = { path: original.path, variants, through, ...NO_LIMITS, acceptDamaged: true }
    const { variants: made } = await workers.decode(job, signal, shed ? { maxWaiting: MAX_WAITING } : {})
    await Promise.all(made.map((variant, n) => store.keep('variants', outputs[n]!, variant.sha256)))
    return await db.$transaction(
      made.map((variant) => {
        const row = { ...variant, source_sha256: sha256, settings_id: variantConfig.id, content_type: `image/${variant.format}` }
        const key = { source_sha256: sha256, name: variant.name, format: variant.format, settings_id: variantConfig.id }
        return db.variant.upsert({ where: { source_sha256_name_format_settings_id: key }, create: row, update: row })
      }),
    )
  } catch (error) {
    throw toStorageError(error)
  } finally {
    await Promise.all(outputs.map((output) => rm(output, { force: true })))
  }
}

/** Variants being made in this process: concurrent requests for the same one share one decode. */
export type VariantMaker = ReturnType<typeof createVariantMaker>

/** Makes single variants for requests; concurrent requests for the same one share the work. */
export function createVariantMaker(deps: MakeVariantDeps) {
  const underWay = new Map<string, Promise<Variant>>()
  return (sha256: string, variantConfig: VariantConfig, name: VariantName, format: EncodedFormat): Promise<Variant> => {
    const key = `${sha256} ${variantConfig.id} ${name} ${format}`
    let making = underWay.get(key)
    if (!making) {
      making = makeVariants(deps, { sha256, config: variantConfig, wanted: [{ name, format }] }, AbortSignal.timeout(30_000), {
        shed: true,
      })
        .then(([made]) => made!)
        .finally(() => underWay.delete(key))
      underWay.set(key, making)
    }
    return making
  }
}
