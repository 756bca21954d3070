import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import { eachVariant, VARIANT_NAMES, VARIANTS, type VariantName } from '../../facts/variants.ts'

export type VariantFormat = 'webp' | 'jpeg' | 'avif'
/** The encoding of a variant: PNG replaces JPEG for transparent images and cannot be chosen. */
export type EncodedFormat = VariantFormat | 'png'

/**
 * How variants are made. `id` identifies the settings, so that other settings make other files and
 * old variants are never served as new.
 */
export interface VariantConfig {
  id: string
  sizes: Record<VariantName, number>
  quality: Record<VariantFormat, number>
  /** webp and jpeg always; avif when it is switched on. */
  formats: VariantFormat[]
}

/**
 * The variants made on arrival, largest first since the smaller are made from the larger; other
 * formats are made on first request.
 */
export const LARGEST_FIRST = VARIANT_NAMES.toSorted((a, b) => VARIANTS[b].pixels - VARIANTS[a].pixels)
/**
 * WebP effort 2 takes a third of the time of 4 for 3 % more bytes (measured). AVIF effort 3 for the
 * same reason.
 */
export const EFFORT: Record<EncodedFormat, number> = { webp: 2, jpeg: 0, avif: 3, png: 7 }

/**
 * What a shop chose stays when a later version adds a size or a quality: what its row lacks is the
 * default.
 */
const Stored = z.object({
  sizes: z.object(eachVariant((name) => z.number().default(VARIANTS[name].pixels))).prefault({}),
  quality: z.object({ webp: z.number().default(80), jpeg: z.number().default(82), avif: z.number().default(55) }).prefault({}),
  formats: z.array(z.enum(['webp', 'jpeg', 'avif'])).default(['webp', 'jpeg']),
})
export type VariantConfigSettings = z.infer<typeof Stored>
/** Increase it when the code makes variants differently with the same settings. */
const MAKER = 'v2'

function named(settings: VariantConfigSettings): VariantConfig {
  const formats = (['webp', 'jpeg', 'avif'] as const).filter((it) => it !== 'avif' || settings.formats.includes('avif'))
  // The offered formats do not change a file.
  const digest = createHash('sha256')
    .update(
      JSON.stringify([
        ...VARIANT_NAMES.map((name) => settings.sizes[name]),
        settings.quality.webp,
        settings.quality.jpeg,
        settings.quality.avif,
      ]),
    )
    .digest('hex')
  return { sizes: settings.sizes, quality: settings.quality, formats, id: `${MAKER}-${digest.slice(0, 8)}` }
}
export const DEFAULT_VARIANT_CONFIG: VariantConfig = named(Stored.parse({}))

const NAME = 'variants'
/** How long another process may still use the old settings. */
const KNOWN_FOR_MS = 1_000

export type VariantSettingsStore = ReturnType<typeof createVariantSettings>

/**
 * The current variant settings, shared by all processes through the database and cached for a
 * second.
 */
export function createVariantSettings(db: Database) {
  let known: { config: VariantConfig; until: number } | undefined
  async function read(): Promise<VariantConfig> {
    const row = await db.mediaSetting.findUnique({ where: { name: NAME } })
    const settings = Stored.safeParse(row?.value)
    return settings.success ? named(settings.data) : DEFAULT_VARIANT_CONFIG
  }
  return {
    async current(): Promise<VariantConfig> {
      if (known && performance.now() < known.until) return known.config
      const variantConfig = await read()
      known = { config: variantConfig, until: performance.now() + KNOWN_FOR_MS }
      return variantConfig
    },
    async change(patch: {
      sizes?: { [K in VariantName]?: number | undefined } | undefined
      quality?: { [K in VariantFormat]?: number | undefined } | undefined
      formats?: VariantFormat[] | undefined
    }): Promise<VariantConfig> {
      const now = await read()
      const value: VariantConfigSettings = {
        sizes: { ...now.sizes, ...dropUndefined(patch.sizes) },
        quality: { ...now.quality, ...dropUndefined(patch.quality) },
        formats: patch.formats ?? now.formats,
      }
      await db.mediaSetting.upsert({ where: { name: NAME }, create: { name: NAME, value }, update: { value, updated_at: new Date() } })
      known = undefined
      return named(value)
    },
  }
}

const dropUndefined = <T extends object>(value: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value ?? {}).filter(([, it]) => it !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
