import { imageName, imageSource } from '../catalog/serialize-image.ts'
import { VARIANT_NAMES, type VariantName } from '../facts/variants.ts'
import type { PhotoVariant, SyncPhoto } from '../schemas/photo-sync.ts'
import type { FeedStore } from './change-feed.ts'

/** The columns of each variant; null where it could not be made. */
type VariantColumns = { [K in VariantName as `${K}_sha256`]: string | null } & {
  [K in VariantName as `${K}_md5` | `${K}_content_type`]: string
} & { [K in VariantName as `${K}_size` | `${K}_width` | `${K}_height`]: number }

export interface FeedPhotoRow extends VariantColumns {
  id: string
  product_id: string
  sku: string | null
  name: string
  zoho_item_id: string | null
  filename: string
  version: number
  is_primary: boolean
  sort_order: number
  source: string
  document_id: string | null
  source_url: string | null
  live: boolean
  sha256: string
  md5: string
  size: number
  content_type: string
  ext: string
  width: number
  height: number
}

/** The file that a download sends. */
export interface ServedFile {
  kind: 'originals' | 'variants'
  sha256: string
  md5: string
  size: number
  contentType: string
  ext: string
  width: number
  height: number
  filename: string
}

const EXTENSIONS: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
}

/** The given name with the extension of its bytes, since names from outside may have any. */
function nameFor(filename: string, ext: string): string {
  const dot = filename.lastIndexOf('.')
  const ending = dot > 0 ? filename.slice(dot + 1).toLowerCase() : ''
  if (ending === ext || (ext === 'jpg' && ending === 'jpeg')) return filename
  return `${ending in { jpg: 1, jpeg: 1, png: 1, gif: 1, webp: 1, avif: 1, bmp: 1 } ? filename.slice(0, dot) : filename}.${ext}`
}

/**
 * Returns the file for a photo: a variant where there is one, otherwise the original. Null variants
 * are those that could not be made.
 */
export function servedFile(row: FeedPhotoRow, variant: PhotoVariant | null): ServedFile {
  const made = variant === null || variant === 'original' ? null : row[`${variant}_sha256`]
  if (made !== null && variant !== null && variant !== 'original') {
    const contentType = row[`${variant}_content_type`]
    const ext = EXTENSIONS[contentType] ?? 'webp'
    const [md5, size] = [row[`${variant}_md5`], row[`${variant}_size`]]
    const [width, height] = [row[`${variant}_width`], row[`${variant}_height`]]
    return { sha256: made, md5, size, contentType, width, height, kind: 'variants', ext, filename: nameFor(row.filename, ext) }
  }
  const { sha256, md5, size, content_type, ext, width, height } = row
  return { kind: 'originals', sha256, md5, size, contentType: content_type, ext, width, height, filename: nameFor(row.filename, ext) }
}

export type BuildImageUrl = (image: { name: string; ext: string; sha256: string; now: Date }) => string

/** Returns a photo as its store's list shows it. */
export function serializePhoto(
  row: FeedPhotoRow,
  store: FeedStore,
  { updatedAt, deleted, imageUrl, now }: { updatedAt: string; deleted: boolean; imageUrl: BuildImageUrl; now: Date },
): SyncPhoto {
  const file = servedFile(row, store.variant)
  const facts = (variant: VariantName) => {
    const made = servedFile(row, variant)
    if (made.kind === 'originals') return {}
    const { size, contentType, md5, sha256, width, height } = made
    return { [variant]: { size, content_type: contentType, checksum: md5, sha256, width, height } }
  }
  return {
    id: row.id,
    product_id: row.product_id,
    product_sku: row.sku,
    product_name: row.name,
    object_key: `${file.kind}/${file.sha256.slice(0, 2)}/${file.sha256}`,
    filename: file.filename,
    size: file.size,
    content_type: file.contentType,
    checksum: file.md5,
    sha256: file.sha256,
    version: row.version,
    is_primary: row.is_primary,
    sort_order: row.sort_order,
    width: file.width,
    height: file.height,
    updated_at: updatedAt,
    deleted,
    image_url: deleted
      ? null
      : imageUrl({
          name: row.is_primary ? imageName({ id: row.product_id, zoho_item_id: row.zoho_item_id }) : row.id,
          ext: row.ext,
          sha256: row.sha256,
          now,
        }),
    image_source: imageSource(row),
    variants: Object.assign({}, ...VARIANT_NAMES.map(facts)),
  }
}
