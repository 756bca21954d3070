import { constants, createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, parse } from 'node:path'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { advisoryXactLock } from '../../database/locks.ts'
import type { VariantName } from '../../facts/variants.ts'
import type { MediaFinding } from '../../generated/client.ts'
import { AppError } from '../../lib/errors.ts'
import { openRegularFile } from '../../lib/open-regular-file.ts'
import { around, type MessageKey } from '../../messages/say.ts'
import { failureOf } from '../../runs/because.ts'
import type { RunContext, RunHandler } from '../../runs/run-handler.ts'
import { addPhotosIn } from '../gallery/edit.ts'
import { cleanFilename } from '../gallery/filename.ts'
import { putSourcePhoto } from '../gallery/gallery.ts'
import { blobLock, type IngestDeps, ingestImage, saveToTemp } from '../processing/ingest.ts'
import type { EncodedFormat } from '../processing/variant-settings.ts'
import { makeVariants } from '../processing/variants.ts'
import { isStorageError } from '../storage/disk-space.ts'
import { linkName } from '../storage/item-links.ts'
import { lastScan } from './report.ts'
import { type IntegrityScanDeps, inspectFile } from './scan-run.ts'

export const MEDIA_INTEGRITY_REPAIR = 'media_integrity_repair'

/**
 * Opens an image at its source; `close` ends the transfer. Passed in by the Zoho and URL modules;
 * null when that source is not set up.
 */
export type Refetcher<Where> = ((where: Where, signal: AbortSignal) => Promise<{ body: Readable; close(): Promise<void> }>) | null

export interface RepairDeps extends Omit<IntegrityScanDeps, 'queue' | 'jobs'> {
  ingest: IngestDeps
  fromZoho: Refetcher<{ zoho_item_id: string; document_id: string | null; kind: string }>
  fromUrl: Refetcher<string>
}

const BATCH = 100
/** Without hashes: every finding. */
export const IntegrityRepairParams = z.object({ sha256: z.array(z.string()).optional() })

/**
 * Repairs what the last scan found. Each finding is checked again first: files that are right by
 * now are left alone, and what cannot be repaired stays a finding.
 */
export function createIntegrityRepair(deps: RepairDeps): RunHandler {
  const { db, clock, itemLinks } = deps
  return {
    kind: MEDIA_INTEGRITY_REPAIR,
    exclusiveKey: MEDIA_INTEGRITY_REPAIR,
    async execute(run) {
      const { sha256: chosen } = IntegrityRepairParams.parse(run.params)
      const scan = await lastScan(db)
      let { repaired = 0, failed = 0 } = run.statistics
      let after = { kind: '', sha256: '' }
      for (;;) {
        const batch: MediaFinding[] = scan
          ? await db.mediaFinding.findMany({
              where: {
                run_id: scan.run_id,
                repaired_at: null,
                // A file that a person put there is taken only where it is named.
                ...(chosen ? { sha256: { in: chosen } } : { repair: { not: 'adopt' } }),
                OR: [{ kind: { gt: after.kind } }, { kind: after.kind, sha256: { gt: after.sha256 } }],
              },
              orderBy: [{ kind: 'asc' }, { sha256: 'asc' }],
              take: BATCH,
            })
          : []
        const last = batch.at(-1)
        if (!last) break
        for (const finding of batch) {
          run.signal.throwIfAborted()
          try {
            await repairOne(run, deps, finding)
            const key = { run_id: finding.run_id, kind: finding.kind, sha256: finding.sha256 }
            await run.fenced((tx) => tx.mediaFinding.updateMany({ where: key, data: { repaired_at: clock.now() } }))
            repaired++
          } catch (error) {
            run.signal.throwIfAborted()
            if (!(error instanceof AppError) || isStorageError(error)) throw error
            failed++
            await run.fenced((tx) =>
              run.fail(tx, [{ stage: 'repair', ...failureOf(around(error, 'around.about', { about: finding.sha256.slice(0, 16) })) }]),
            )
          }
          run.report({ statistics: { repaired, failed }, progress: { phase: 'repair', done: repaired + failed } })
        }
        after = { kind: last.kind, sha256: last.sha256 }
      }
      await itemLinks.restore(db)
      return { state: failed > 0 ? 'partial' : 'success' }
    },
  }
}

class CannotRepair<K extends MessageKey> extends AppError<K> {}

async function repairOne(run: RunContext, deps: RepairDeps, finding: MediaFinding): Promise<void> {
  const { kind, sha256, size, file } = finding
  if (file !== null) return adoptFile(run, deps, file)
  if (kind === 'untracked' || kind === 'orphan_variant') return removeUnknown(deps, kind === 'untracked' ? 'originals' : 'variants', sha256)
  const blob = await deps.db.blob.findUnique({ where: { sha256 } })
  if (blob) {
    if (blob.removed_at || (await inspectFile(deps.store, 'originals', { sha256, size: Number(blob.size) })) === 'whole') return
    await hideLinks(deps, sha256)
    return fetchAgain(run, deps, sha256)
  }
  const rows = await deps.db.variant.findMany({ where: { sha256 } })
  if (rows.length === 0 || (await inspectFile(deps.store, 'variants', { sha256, size: Number(size ?? rows[0]?.size) })) === 'whole') return
  const variantConfig = await deps.ingest.variantSettings.current()
  await deps.db.variant.deleteMany({ where: { sha256 } })
  await deps.store.remove('variants', sha256)
  for (const row of rows.filter((it) => it.settings_id === variantConfig.id)) {
    const requested = [{ name: row.name as VariantName, format: row.format as EncodedFormat }]
    await makeVariants(deps.ingest, { sha256: row.source_sha256, config: variantConfig, wanted: requested }, run.signal, { shed: false })
  }
}

/**
 * Removes the links to a damaged original while they still are links: once it is replaced, they
 * would look like files that a person put there. The repair's end shows them again.
 */
async function hideLinks({ db, itemLinks }: RepairDeps, sha256: string): Promise<void> {
  const shown = await db.photo.findMany({
    where: { sha256, is_primary: true, deleted_at: null },
    select: { product: { select: { id: true, zoho_item_id: true } } },
  })
  for (const { product } of shown) await itemLinks.hide(linkName(product))
}

/**
 * Makes a file that a person put into the folder of item images the primary image of its product;
 * the link then takes its place.
 */
async function adoptFile(run: RunContext, { db, clock, ingest, itemLinks }: RepairDeps, file: string): Promise<void> {
  const path = join(itemLinks.folder, file)
  const product = await db.product.findUnique({ where: { zoho_item_id: parse(file).name, deleted_at: null }, select: { id: true } })
  if (!product) throw new CannotRepair('no_product')
  const blob = await ingestImage(ingest, await openFile(path), run.signal)
  await run.fenced(async (tx) => {
    if (await tx.photo.findFirst({ where: { product_id: product.id, sha256: blob.sha256, deleted_at: null } })) return
    const photo = { source: 'import' as const, filename: cleanFilename(file, `image.${blob.ext}`), sha256: blob.sha256 }
    await addPhotosIn(tx, clock, { productId: product.id, photos: [photo], primary: true })
  })
  await rm(path, { force: true })
  await itemLinks.refresh(db, product.id)
}

/** Not through a link, which could lead anywhere. */
async function openFile(path: string): Promise<Readable> {
  const handle = await openRegularFile(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((cause: unknown) => {
    throw new CannotRepair('file_not_readable', {}, { cause })
  })
  return handle.createReadStream()
}

/**
 * A file that still had no row when the scan had waited for one; checked again under the lock of
 * its hash.
 */
async function removeUnknown({ db, store }: RepairDeps, kind: 'originals' | 'variants', sha256: string): Promise<void> {
  await db.$transaction(async (tx) => {
    await advisoryXactLock(tx, blobLock(sha256))
    const known =
      kind === 'originals' ? await tx.blob.count({ where: { sha256, removed_at: null } }) : await tx.variant.count({ where: { sha256 } })
    if (known === 0) await store.remove(kind, sha256)
  })
}

/**
 * Fetches the bytes from their source again. If the source has other bytes by now, the product gets
 * those, as in a sync.
 */
async function fetchAgain(run: RunContext, deps: RepairDeps, sha256: string): Promise<void> {
  const { db, store } = deps
  const photos = await db.photo.findMany({
    where: { sha256, deleted_at: null },
    include: { product: { select: { id: true, zoho_item_id: true } } },
    orderBy: { position: 'asc' },
  })
  if (photos.length === 0) {
    await db.blob.updateMany({ where: { sha256, orphaned_at: { not: null } }, data: { removed_at: deps.clock.now() } })
    return
  }
  let reason: AppError = new CannotRepair('no_remote_source.uploaded')
  for (const photo of photos) {
    const open = opener(deps, photo)
    if (!open) continue
    const path = await store.temporaryPath()
    try {
      const { body, close } = await open(run.signal)
      let came: { sha256: string }
      try {
        came = await saveToTemp(body, path, { maxBytes: deps.ingest.limits.maxBytes, expectedBytes: null, signal: run.signal })
      } finally {
        body.destroy()
        await close()
      }
      if (came.sha256 === sha256) {
        await db.$transaction(
          async (tx) => {
            await advisoryXactLock(tx, blobLock(sha256))
            await store.keep('originals', path, sha256)
          },
          { timeout: 30_000 },
        )
        return
      }
      const blob = await ingestImage(deps.ingest, createReadStream(path), run.signal)
      await run.fenced((tx) =>
        putSourcePhoto(tx, {
          product_id: photo.product_id,
          source: photo.source as 'zoho' | 'url',
          kind: photo.kind as 'main' | 'gallery',
          document_id: photo.document_id,
          source_url: photo.source_url,
          filename: photo.filename,
          sha256: blob.sha256,
        }),
      )
      return
    } catch (error) {
      run.signal.throwIfAborted()
      if (!(error instanceof AppError) || isStorageError(error)) throw error
      reason = error
    } finally {
      await rm(path, { force: true })
    }
  }
  throw reason
}

interface Origin {
  source: string
  kind: string
  document_id: string | null
  source_url: string | null
  product: { zoho_item_id: string | null }
}

function opener({ fromZoho, fromUrl }: RepairDeps, { source, kind, document_id, source_url, product }: Origin) {
  const { zoho_item_id } = product
  if (source === 'zoho' && zoho_item_id !== null && fromZoho)
    return (signal: AbortSignal) => fromZoho({ zoho_item_id, document_id, kind }, signal)
  if (source_url !== null && fromUrl) return (signal: AbortSignal) => fromUrl(source_url, signal)
  return null
}
