/**
 * The sizes made of each image: longest side in pixels, the allowed settings, and the name on the
 * page. A third one also needs its columns of photo sync; see CONTRIBUTING.md.
 */
export const VARIANTS = {
  thumb: { pixels: 200, min: 16, max: 1_000, label: { en: 'Small', ar: 'صغيرة' } },
  medium: { pixels: 600, min: 100, max: 4_000, label: { en: 'Medium', ar: 'متوسطة' } },
} as const
export type VariantName = keyof typeof VARIANTS
export const VARIANT_NAMES = Object.keys(VARIANTS) as VariantName[]
/** What a client may request. */
export const IMAGE_SIZES = [...VARIANT_NAMES, 'original'] as const
export type ImageSize = VariantName | 'original'

/** Returns a value for each variant. */
export const eachVariant = <T>(make: (name: VariantName) => T): Record<VariantName, T> =>
  Object.fromEntries(VARIANT_NAMES.map((name) => [name, make(name)])) as Record<VariantName, T>
