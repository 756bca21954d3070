import pLimit from 'p-limit'
import { z } from 'zod'
import { VARIANT_NAMES, type VariantName } from '../../facts/variants.ts'
import type { Prisma } from '../../generated/client.ts'
import { AppError } from '../../lib/errors.ts'
import { around } from '../../messages/say.ts'
import type { JobWorker } from '../../queue/queue.ts'
import { partOfRun } from '../../queue/split-run.ts'
import { MessageParams } from '../../schemas/message.ts'
import { isStorageError } from '../storage/disk-space.ts'
import { type EncodedFormat, LARGEST_FIRST, type VariantSettingsStore } from './variant-settings.ts'
import { type MakeVariantDeps, makeVariants } from './variants.ts'

export const RegenerateParams = z.object({
  which: z.enum(['missing', 'all', 'size']),
  size: z.enum(VARIANT_NAMES).optional(),
  /** Only these originals. */
  sha256: z.array(z.string()).optional(),
})
export type RegenerateParams = z.infer<typeof RegenerateParams>

/** The originals that a run processes. */
export const originalsOf = ({ sha256 }: RegenerateParams): Prisma.BlobWhereInput => ({
  removed_at: null,
  photos: { some: { deleted_at: null } },
  ...(sha256 && { AND: { sha256: { in: sha256 } } }),
})

/** What one job did. */
export const VariantJobResult = z.object({
  checked: z.int(),
  made: z.int(),
  failures: z.array(z.object({ code: z.string(), message: z.string(), params: MessageParams.optional() })),
  /** The storage does not accept or return images, so no further job can succeed. */
  stopped: z.object({ code: z.string(), message: z.string(), remedy: z.string().optional(), params: MessageParams }).nullable(),
})
export type VariantJobResult = z.infer<typeof VariantJobResult>

/** Parallel jobs per process, and parallel images per job: more than its child processes decode. */
const JOBS_AT_ONCE = 2
const IMAGES_AT_ONCE = 4

/**
 * Makes the variants of a batch of originals again. Originals are only read, and variants are
 * replaced one by one, so there is always one to serve and a batch may run twice.
 */
export function createVariantJobs(deps: MakeVariantDeps & { variantSettings: VariantSettingsStore }): JobWorker<'variants'> {
  const { db, store, variantSettings } = deps

  return {
    queue: 'variants',
    concurrency: JOBS_AT_ONCE,
    pollSeconds: 2,
    execute: ({ run_id, after, upto }, jobSignal) =>
      partOfRun(db, run_id, jobSignal, async (runParams, signal) => {
        const params = RegenerateParams.parse(runParams)
        const { which, size } = params
        const names: readonly VariantName[] = which === 'size' && size ? [size] : LARGEST_FIRST
        const variantConfig = await variantSettings.current()
        const blobs = await db.blob.findMany({
          where: { ...originalsOf(params), sha256: { gt: after, lte: upto } },
          include: { variants: { where: { settings_id: variantConfig.id } } },
          orderBy: { sha256: 'asc' },
        })
        const result: VariantJobResult = { checked: blobs.length, made: 0, failures: [], stopped: null }
        const limit = pLimit(IMAGES_AT_ONCE)

        async function makeAgain({ sha256, variants }: (typeof blobs)[number]): Promise<void> {
          signal.throwIfAborted()
          // The formats that were requested before, and WebP always.
          const requested: { name: VariantName; format: EncodedFormat }[] = []
          for (const name of names) {
            for (const format of [...variantConfig.formats, 'png' as const]) {
              const there = variants.find((it) => it.name === name && it.format === format)
              const whole = there && which === 'missing' ? (await store.sizeOf('variants', there.sha256)) === Number(there.size) : false
              if (!whole && (there || format === 'webp')) requested.push({ name, format })
            }
          }
          if (requested.length === 0) return
          try {
            const made = await makeVariants(deps, { sha256, config: variantConfig, wanted: requested }, signal, { shed: false })
            result.made += made.length
          } catch (error) {
            signal.throwIfAborted()
            if (!(error instanceof AppError) || isStorageError(error)) throw error
            const { code, message, params } = around(error, 'around.about', { about: sha256.slice(0, 16) })
            result.failures.push({ code, message, params })
          }
        }

        try {
          await Promise.all(blobs.map((blob) => limit(() => makeAgain(blob))))
        } catch (error) {
          limit.clearQueue()
          if (!isStorageError(error)) throw error
          const { code, message, remedy, params } = error
          result.stopped = { code, message, params, ...(remedy !== undefined && { remedy }) }
        }
        return result
      }),
  }
}
