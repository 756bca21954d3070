import { stat } from 'node:fs/promises'
import { basename, isAbsolute, normalize } from 'node:path'
import pLimit from 'p-limit'
import type { Database, Db } from '../../database/client.ts'
import { addPhotosIn } from '../../images/gallery/edit.ts'
import { cleanFilename } from '../../images/gallery/filename.ts'
import { putZohoCopy } from '../../images/gallery/zoho-copy.ts'
import { type IngestDeps, ingestImage } from '../../images/processing/ingest.ts'
import { isStorageError } from '../../images/storage/disk-space.ts'
import type { ItemLinks } from '../../images/storage/item-links.ts'
import type { Clock } from '../../lib/clock.ts'
import { AppError, BadRequestError } from '../../lib/errors.ts'
import { openRegularFile } from '../../lib/open-regular-file.ts'
import { failure, failureOf } from '../../runs/because.ts'
import type { RunContext, RunFailure } from '../../runs/run-handler.ts'
import type { FileItem } from './file-item.ts'
import { type FilePage, insideOf } from './file-source.ts'

export interface FileImagesDeps {
  db: Database
  clock: Clock
  ingest: IngestDeps
  itemLinks: ItemLinks
  /** The folder of the items' file: no image outside it is read. */
  folder: string
}

/** Images that are decoded in parallel. */
const AT_ONCE = 8

export interface FileImageCounts {
  images_taken: number
  images_known: number
  images_left: number
}

type Found = { item: FileItem; path: string } | { item: FileItem; left: RunFailure }
type Stored = { item: FileItem; sha256: string; file: string } | { item: FileItem; left: RunFailure }

/**
 * Takes the images at the `image_path` of a page of records: those of a predecessor as copies of
 * Zoho's image, those of zinc's own export as imports. In a dry run it only looks for the files.
 * Returns what was taken, was there already, and was left with its reason.
 */
export async function takeFileImages(
  run: RunContext,
  deps: FileImagesDeps,
  page: FilePage,
  { dryRun, save }: { dryRun: boolean; save(tx: Db, counts: FileImageCounts): Promise<void> },
): Promise<void> {
  const named = page.items.filter((it) => it.imagePath !== null)
  const found = await Promise.all(named.map((item) => findImage(deps.folder, item)))
  const limit = pLimit(AT_ONCE)
  const stored = dryRun
    ? found.map((it): Stored => ('left' in it ? it : { item: it.item, sha256: '', file: '' }))
    : await Promise.all(found.map((it) => limit(() => store(run, deps, it))))
  const links = new Set<string>()
  await run.fenced(async (tx) => {
    links.clear()
    const counts: FileImageCounts = { images_taken: 0, images_known: 0, images_left: 0 }
    await run.fail(
      tx,
      stored.flatMap((it) => ('left' in it ? [it.left] : [])),
    )
    const products = new Map(
      (
        await tx.product.findMany({
          where: { zoho_item_id: { in: stored.map((it) => it.item.row.zoho_item_id) }, deleted_at: null },
          select: { id: true, zoho_item_id: true },
        })
      ).map((it) => [it.zoho_item_id, it.id]),
    )
    for (const it of stored) {
      const productId = products.get(it.item.row.zoho_item_id)
      if ('left' in it || (!dryRun && productId === undefined)) counts.images_left++
      else if (dryRun || (await register(tx, deps.clock, { ...it, productId: productId! }))) {
        counts.images_taken++
        if (productId !== undefined) links.add(productId)
      } else counts.images_known++
    }
    await save(tx, counts)
  })
  if (!dryRun) for (const id of links) await deps.itemLinks.refresh(deps.db, id)
}

/** Finds the file that a record names, in the folder of the items' file or below. */
async function findImage(folder: string, item: FileItem): Promise<Found> {
  const path = item.imagePath!
  const left = (code: 'import_image_missing' | 'import_image_outside' | 'import_image_not_a_file'): Found => ({
    item,
    left: { ...about(item), ...failure(code, { path: path.slice(0, 200) }) },
  })
  const plain = normalize(path.replaceAll('\\', '/'))
  if (isAbsolute(plain) || plain.startsWith('..') || plain.includes('\0')) return left('import_image_outside')
  try {
    const real = await insideOf(folder, plain)
    if (real === null) return left('import_image_missing')
    return (await stat(real)).isFile() ? { item, path: real } : left('import_image_not_a_file')
  } catch (error) {
    if (error instanceof BadRequestError) return left('import_image_outside')
    throw error
  }
}

const about = ({ row }: FileItem) => ({ stage: 'image', zoho_item_id: row.zoho_item_id, sku: row.sku ?? undefined })

async function store(run: RunContext, { ingest }: FileImagesDeps, found: Found): Promise<Stored> {
  if ('left' in found) return found
  const { item, path } = found
  try {
    const { sha256, ext } = await ingestImage(ingest, (await openRegularFile(path)).createReadStream(), run.signal)
    return { item, sha256, file: cleanFilename(basename(path), `image.${ext}`) }
  } catch (error) {
    run.signal.throwIfAborted()
    // A full disk stops the run; a file that is not an image does not.
    if (isStorageError(error)) throw error
    if (error instanceof AppError) return { item, left: { ...about(item), ...failureOf(error) } }
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return { item, left: { ...about(item), ...failure('file_not_readable') } }
  }
}

/** Returns whether the product has an image that it had not. */
async function register(
  tx: Db,
  clock: Clock,
  { item, productId, sha256, file }: { item: FileItem; productId: string; sha256: string; file: string },
): Promise<boolean> {
  if (!item.isOwnExport) return (await putZohoCopy(tx, { productId, filename: file, sha256 })).changed
  if (await tx.photo.findFirst({ where: { product_id: productId, sha256, deleted_at: null } })) return false
  await addPhotosIn(tx, clock, { productId, photos: [{ source: 'import', filename: file, sha256 }], primary: false })
  return true
}
