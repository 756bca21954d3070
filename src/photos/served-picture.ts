import { rm } from 'node:fs/promises'
import type { Database } from '../db.ts'
import type { Variant } from '../generated/client.ts'
import type { Decoder } from './decoder.ts'
import { RECIPE, VARIANTS } from './ingest.ts'
import type { PhotoStore } from './store.ts'

export interface ServedPicture {
  kind: 'originals' | 'variants'
  sha256: string
  size: number
  contentType: string
  originalExt: string
  originalSha256: string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const JPEG_QUALITY = 82

/** Browsers that show WebP say so; everything that does not gets JPEG. A missing Accept means anything. */
const wantsWebp = (accept: string): boolean => accept === '' || /image\/webp|image\/\*|\*\/\*/.test(accept)

/** Which file answers for a product's primary picture. `name` is Zoho's id or the product's. Null when there is none. */
export async function findServedPicture(
  { db, store, decoder }: { db: Database; store: PhotoStore; decoder: Decoder },
  { name, variant, accept }: { name: string; variant: 'thumb' | 'medium' | 'original'; accept: string },
): Promise<ServedPicture | null> {
  const photo = await db.photo.findFirst({
    where: { is_primary: true, deleted_at: null, product: UUID.test(name) ? { id: name } : { zoho_item_id: name } },
    include: { blob: { include: { variants: { where: { recipe: RECIPE } } } } },
  })
  if (!photo) return null
  const { blob } = photo
  const base = { originalExt: blob.ext, originalSha256: blob.sha256 }
  if (variant === 'original')
    return { ...base, kind: 'originals', sha256: blob.sha256, size: Number(blob.size), contentType: blob.content_type }
  const format = wantsWebp(accept) ? 'webp' : 'jpeg'
  const made = blob.variants.find((it) => it.name === variant && it.format === format)
  const file =
    made && (await store.has('variants', made.sha256))
      ? made
      : await makeVariant({ db, store, decoder }, { sha256: blob.sha256, name: variant, format })
  return { ...base, kind: 'variants', sha256: file.sha256, size: Number(file.size), contentType: file.content_type }
}

/** Makes one variant of stored bytes, on the first request for it or when its file is gone; the limits were checked when the original came. */
async function makeVariant(
  { db, store, decoder }: { db: Database; store: PhotoStore; decoder: Decoder },
  { sha256, name, format }: { sha256: string; name: string; format: 'webp' | 'jpeg' },
): Promise<Variant> {
  const output = await store.temporaryPath()
  try {
    const { side, quality, effort } = VARIANTS.find((it) => it.name === name)!
    const job = {
      path: store.pathOf('originals', sha256),
      variants: [{ name, side, format, quality: format === 'jpeg' ? JPEG_QUALITY : quality, effort, output }],
      maxPixels: 268_000_000,
      maxSide: 65_000,
      acceptDamaged: true,
    }
    const { variants } = await decoder.decode(job, AbortSignal.timeout(20_000))
    const made = variants[0]!
    await store.keepVariant(output, made.sha256)
    const row = { ...made, source_sha256: sha256, recipe: RECIPE, content_type: `image/${format}` }
    return await db.variant.upsert({
      where: { source_sha256_name_format_recipe: { source_sha256: sha256, name, format, recipe: RECIPE } },
      create: row,
      update: row,
    })
  } finally {
    await rm(output, { force: true })
  }
}
