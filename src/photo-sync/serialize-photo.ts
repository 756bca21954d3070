import { imageName, imageSource } from '../catalog/serialize-image.ts'
import type { PhotoVariant, SyncPhoto } from '../schemas/photo-sync.ts'
import type { FeedStore } from './change-feed.ts'

/** A row of the view `feed_photo`, as PostgreSQL writes it in JSON. */
export interface FeedPhotoRow {
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
  medium_sha256: string | null
  medium_md5: string
  medium_size: number
  medium_content_type: string
  medium_width: number
  medium_height: number
  thumb_sha256: string | null
  thumb_md5: string
  thumb_size: number
  thumb_content_type: string
  thumb_width: number
  thumb_height: number
}

/** The one file that a download gives. */
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

/** The given name with the ending that the bytes have. Names from outside say anything. */
function nameFor(filename: string, ext: string): string {
  const dot = filename.lastIndexOf('.')
  const ending = dot > 0 ? filename.slice(dot + 1).toLowerCase() : ''
  if (ending === ext || (ext === 'jpg' && ending === 'jpeg')) return filename
  return `${ending in { jpg: 1, jpeg: 1, png: 1, gif: 1, webp: 1, avif: 1, bmp: 1 } ? filename.slice(0, dot) : filename}.${ext}`
}

/** Which file answers for a photo: a variant where there is one, else the original. Null variants are those that could not be made. */
export function servedFile(row: FeedPhotoRow, variant: PhotoVariant | null): ServedFile {
  const made =
    variant === 'medium' && row.medium_sha256 !== null
      ? {
          sha256: row.medium_sha256,
          md5: row.medium_md5,
          size: row.medium_size,
          contentType: row.medium_content_type,
          width: row.medium_width,
          height: row.medium_height,
        }
      : variant === 'thumb' && row.thumb_sha256 !== null
        ? {
            sha256: row.thumb_sha256,
            md5: row.thumb_md5,
            size: row.thumb_size,
            contentType: row.thumb_content_type,
            width: row.thumb_width,
            height: row.thumb_height,
          }
        : null
  if (made) {
    const ext = EXTENSIONS[made.contentType] ?? 'webp'
    return { ...made, kind: 'variants', ext, filename: nameFor(row.filename, ext) }
  }
  const { sha256, md5, size, content_type, ext, width, height } = row
  return { kind: 'originals', sha256, md5, size, contentType: content_type, ext, width, height, filename: nameFor(row.filename, ext) }
}

export type BuildImageUrl = (image: { name: string; ext: string; sha256: string; now: Date }) => string

/** A photo as its store's list shows it. */
export function serializePhoto(
  row: FeedPhotoRow,
  store: FeedStore,
  { updatedAt, deleted, imageUrl, now }: { updatedAt: string; deleted: boolean; imageUrl: BuildImageUrl; now: Date },
): SyncPhoto {
  const file = servedFile(row, store.variant)
  const facts = (variant: 'thumb' | 'medium') => {
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
    variants: { ...facts('thumb'), ...facts('medium') },
  }
}
