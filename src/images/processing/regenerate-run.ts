import pLimit from 'p-limit'
import { z } from 'zod'
import { VARIANT_NAMES, type VariantName } from '../../facts/variants.ts'
import { AppError } from '../../lib/errors.ts'
import { around } from '../../messages/say.ts'
import { failureOf } from '../../runs/because.ts'
import type { RunHandler } from '../../runs/run-handler.ts'
import { isStorageError } from '../storage/disk-space.ts'
import { type EncodedFormat, LARGEST_FIRST, type VariantSettingsStore } from './variant-settings.ts'
import { type MakeVariantDeps, makeVariants } from './variants.ts'

export const MEDIA_REGENERATE = 'media_regenerate'
export const RegenerateParams = z.object({
  which: z.enum(['missing', 'all', 'size']),
  size: z.enum(VARIANT_NAMES).optional(),
  /** Only these originals. */
  sha256: z.array(z.string()).optional(),
})
export type RegenerateParams = z.infer<typeof RegenerateParams>
const Checkpoint = z.object({ after: z.string() })
const BATCH = 100
/** More than the decoder's children, so that none waits for rows and files. */
const AT_ONCE = 8

export interface RegenerateDeps extends MakeVariantDeps {
  variantSettings: VariantSettingsStore
}

/**
 * Makes variants again under the recipe that stands: what is missing, all of them, or one size. Originals are read, never touched.
 * A picture's variants are replaced one by one, so at every moment there is one to serve; killed, it goes on after the last batch.
 */
export function createRegenerateRun({ variantSettings, ...deps }: RegenerateDeps): RunHandler {
  const { db, store } = deps
  return {
    kind: MEDIA_REGENERATE,
    exclusiveKey: MEDIA_REGENERATE,
    async execute(run) {
      const { which, size, sha256 } = RegenerateParams.parse(run.params)
      const names: readonly VariantName[] = which === 'size' && size ? [size] : LARGEST_FIRST
      const where = { removed_at: null, photos: { some: { deleted_at: null } }, ...(sha256 && { AND: { sha256: { in: sha256 } } }) }
      const total = await db.blob.count({ where })
      let { after } = run.checkpoint ? Checkpoint.parse(run.checkpoint) : { after: '' }
      let done = run.statistics.checked ?? 0
      let made = run.statistics.made ?? 0
      let failed = run.statistics.failed ?? 0
      const limit = pLimit(AT_ONCE)
      for (;;) {
        const variantConfig = await variantSettings.current()
        const batch = await db.blob.findMany({
          where: { ...where, sha256: { gt: after } },
          include: { variants: { where: { recipe: variantConfig.id } } },
          orderBy: { sha256: 'asc' },
          take: BATCH,
        })
        const last = batch.at(-1)
        if (!last) break
        await Promise.all(
          batch.map((blob) =>
            limit(async () => {
              run.signal.throwIfAborted()
              // The formats that somebody has asked for, and WebP always.
              const requested: { name: VariantName; format: EncodedFormat }[] = []
              for (const name of names) {
                for (const format of [...variantConfig.formats, 'png' as const]) {
                  const there = blob.variants.find((it) => it.name === name && it.format === format)
                  const whole = there && which === 'missing' ? (await store.sizeOf('variants', there.sha256)) === Number(there.size) : false
                  if (!whole && (there || format === 'webp')) requested.push({ name, format })
                }
              }
              if (requested.length === 0) return
              try {
                const variants = await makeVariants(deps, { sha256: blob.sha256, recipe: variantConfig, wanted: requested }, run.signal, {
                  shed: false,
                })
                made += variants.length
              } catch (error) {
                run.signal.throwIfAborted()
                if (!(error instanceof AppError) || isStorageError(error)) throw error
                failed++
                await run.fenced((tx) =>
                  run.fail(tx, [{ stage: 'variant', ...failureOf(around(error, 'around.about', { about: blob.sha256.slice(0, 16) })) }]),
                )
              }
            }),
          ),
        )
        after = last.sha256
        done += batch.length
        await run.fenced((tx) => run.saveCheckpoint(tx, { after }, { checked: done, made, failed }))
        run.report({ progress: { phase: 'variants', done, total: Math.max(total, done) } })
      }
      return { state: failed > 0 ? 'partial' : 'success' }
    },
  }
}
