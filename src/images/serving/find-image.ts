import type { Database } from '../../database/client.ts'
import type { VariantName } from '../../facts/variants.ts'
import type { Blob, Variant } from '../../generated/client.ts'
import type { EncodedFormat, VariantConfig, VariantSettingsStore } from '../processing/variant-settings.ts'
import type { VariantMaker } from '../processing/variants.ts'
import type { BlobStore } from '../storage/blob-store.ts'

export interface ServedImage {
  kind: 'originals' | 'variants'
  sha256: string
  size: number
  contentType: string
  originalExt: string
  originalSha256: string
}

export interface ServedImageDeps {
  db: Database
  store: BlobStore
  variantSettings: VariantSettingsStore
  makeVariant: VariantMaker
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Returns the best format that the client accepts: AVIF and WebP only for clients that name them,
 * since tills and mail programs that send `*` cannot show them. For all others JPEG, or PNG where
 * the image is transparent and the client does not refuse PNG. A missing Accept means anything. A
 * format with `q=0` is refused.
 */
export function formatFor(
  accept: string,
  { formats }: Pick<VariantConfig, 'formats'>,
  { transparent }: { transparent: boolean },
): EncodedFormat {
  const wants = (type: string) => new RegExp(`(^|,)\\s*${type}\\s*(;(?!\\s*q=0(\\.0*)?\\s*(,|;|$))[^,]*)?(,|$)`, 'i').test(accept)
  if (formats.includes('avif') && wants('image/avif')) return 'avif'
  if (wants('image/webp')) return 'webp'
  const refusesPng = /(^|,)\s*image\/png\s*;\s*q=0(\.0*)?\s*(,|;|$)/i.test(accept)
  const takesPng = !refusesPng && (accept === '' || wants('image/png') || wants('image/\\*') || wants('\\*/\\*'))
  return transparent && takesPng ? 'png' : 'jpeg'
}

/**
 * Returns the file for an image: a product's primary by Zoho's id or the product's, an item
 * group's by Zoho's id, or any image by its own id. Null when there is none; with `activeOnly`
 * also for a product that is inactive or deleted.
 */
export async function findImage(
  deps: ServedImageDeps,
  { name, variant, accept, activeOnly = false }: { name: string; variant: VariantName | 'original'; accept: string; activeOnly?: boolean },
): Promise<ServedImage | null> {
  const variantConfig = await deps.variantSettings.current()
  const include = { blob: { include: { variants: { where: { settings_id: variantConfig.id } } } } }
  const shown = activeOnly ? { product: { status: 'active', deleted_at: null } } : {}
  const ofProduct = { is_primary: true, deleted_at: null, ...shown }
  const photo = UUID.test(name)
    ? ((await deps.db.photo.findFirst({ where: { ...ofProduct, product_id: name }, include })) ??
      (await deps.db.photo.findFirst({ where: { id: name, deleted_at: null, ...shown }, include })))
    : await deps.db.photo.findFirst({ where: { ...ofProduct, product: { ...shown.product, zoho_item_id: name } }, include })
  const blob = photo ? photo.blob : await groupBlob(deps.db, name, variantConfig.id)
  return blob && servedFile(deps, variantConfig, blob, { variant, format: formatFor(accept, variantConfig, blob) })
}

async function groupBlob(db: Database, id: string, settings_id: string): Promise<(Blob & { variants: Variant[] }) | null> {
  const group = await db.productGroup.findUnique({ where: { id }, select: { image_sha256: true } })
  if (!group?.image_sha256) return null
  return db.blob.findUnique({ where: { sha256: group.image_sha256, removed_at: null }, include: { variants: { where: { settings_id } } } })
}

/**
 * Returns the file of a blob, or of a variant of it, which is made on first request or when its
 * file is missing.
 */
export async function servedFile(
  { store, makeVariant }: Pick<ServedImageDeps, 'store' | 'makeVariant'>,
  variantConfig: VariantConfig,
  blob: Blob & { variants: Variant[] },
  { variant, format }: { variant: VariantName | 'original'; format: EncodedFormat },
): Promise<ServedImage> {
  const base = { originalExt: blob.ext, originalSha256: blob.sha256 }
  if (variant === 'original')
    return { ...base, kind: 'originals', sha256: blob.sha256, size: Number(blob.size), contentType: blob.content_type }
  const made = blob.variants.find((it) => it.name === variant && it.format === format && it.settings_id === variantConfig.id)
  const file =
    made && (await store.sizeOf('variants', made.sha256)) === Number(made.size)
      ? made
      : await makeVariant(blob.sha256, variantConfig, variant, format)
  return { ...base, kind: 'variants', sha256: file.sha256, size: Number(file.size), contentType: file.content_type }
}
