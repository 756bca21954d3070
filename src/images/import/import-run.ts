import pLimit from 'p-limit'
import { z } from 'zod'
import type { Db } from '../../database/client.ts'
import type { Photo, Prisma } from '../../generated/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { AppError } from '../../lib/errors.ts'
import { around } from '../../messages/say.ts'
import { failureOf } from '../../runs/because.ts'
import type { RunContext, RunHandler } from '../../runs/run-handler.ts'
import { addPhotosIn } from '../gallery/edit.ts'
import { cleanFilename } from '../gallery/filename.ts'
import { putZohoCopy } from '../gallery/zoho-copy.ts'
import { type IngestDeps, ingestImage } from '../processing/ingest.ts'
import { isStorageError } from '../storage/disk-space.ts'
import type { ItemLinks } from '../storage/item-links.ts'
import { dropImport, type ImportDeps, withImport } from './imports.ts'
import { isExported } from './layout.ts'
import { type MatchedEntry, matchEntries, type UnmatchedEntry } from './match.ts'

export const IMAGES_IMPORT = 'images_import'

const Params = z.object({ import_id: z.uuid() })
const Checkpoint = z.object({ done: z.number() })
/** Files whose rows are written together, and images processed in parallel. */
const BATCH = 40
const AT_ONCE = 8

export interface ImportRunDeps extends ImportDeps {
  ingest: IngestDeps
  itemLinks: ItemLinks
}

type Taken = { it: MatchedEntry; sha256: string; ext: string } | { it: MatchedEntry; miss: UnmatchedEntry }

/**
 * Imports the images of a ZIP or folder. The order of the files is always the same, and the
 * position is saved with the rows of a batch. Crash-safe: the run resumes there, and images that a
 * product has already are not added again.
 */
export function createImportRun(deps: ImportRunDeps): RunHandler {
  return {
    kind: IMAGES_IMPORT,
    exclusiveKey: null,
    async execute(run) {
      const { import_id } = Params.parse(run.params)
      const failed = await withImport(deps, import_id, run.signal, async (source, { map, asZoho }) => {
        const { matched, missed } = await matchEntries(deps.db, source, map)
        // A product has one image from Zoho: its first file is the copy, the others are its own.
        const copies = new Set(asZoho ? matched.filter((it, n) => matched[n - 1]?.product.id !== it.product.id) : [])
        let { done } = run.checkpoint ? Checkpoint.parse(run.checkpoint) : { done: 0 }
        if (done === 0) await run.fenced((tx) => note(tx, run, missed))
        let unreadable = missed.filter((it) => it.kind === 'unreadable').length
        const counts = { matched: run.statistics.matched ?? 0, unchanged: run.statistics.unchanged ?? 0 }
        while (done < matched.length) {
          run.signal.throwIfAborted()
          const batch = matched.slice(done, done + BATCH)
          const taken = await takeAll(deps.ingest, batch, run.signal)
          done += batch.length
          const added = await writeBatch(run, deps, taken, { done, counts, copies })
          for (const productId of added) await deps.itemLinks.refresh(deps.db, productId)
          unreadable += taken.filter((it) => 'miss' in it).length
          run.report({
            statistics: {
              ...counts,
              unreadable,
              unmatched: missed.filter((it) => it.kind !== 'unreadable').length,
              total: matched.length + missed.length,
            },
            progress: { phase: 'images', done, total: matched.length },
          })
        }
        return unreadable > 0
      })
      await dropImport(deps, import_id)
      return { state: failed ? 'partial' : 'success' }
    },
  }
}

async function takeAll(ingest: IngestDeps, batch: MatchedEntry[], signal: AbortSignal): Promise<Taken[]> {
  const limit = pLimit(AT_ONCE)
  return Promise.all(
    batch.map((it) =>
      limit(async (): Promise<Taken> => {
        try {
          // A damaged image from another zinc's export is accepted and marked as damaged; one that
          // was damaged on the way is refused.
          const acceptDamaged = it.entry.proven && isExported(it.entry.name)
          const blob = await ingestImage(ingest, await it.entry.open(), signal, { acceptDamaged })
          return { it, sha256: blob.sha256, ext: blob.ext }
        } catch (error) {
          signal.throwIfAborted()
          // A full disk stops the run; a file that is not an image does not.
          if (!(error instanceof AppError) || isStorageError(error)) throw error
          const miss: UnmatchedEntry = {
            entry: it.entry,
            kind: 'unreadable',
            said: error,
            productIds: [it.product.id],
          }
          return { it, miss }
        }
      }),
    ),
  )
}

/** Returns the products that got an image. */
async function writeBatch(
  run: RunContext,
  { clock }: ImportRunDeps,
  taken: Taken[],
  { done, counts, copies }: { done: number; counts: { matched: number; unchanged: number }; copies: Set<MatchedEntry> },
): Promise<Set<string>> {
  const before = { ...counts }
  return run.fenced(async (tx) => {
    Object.assign(counts, before) // a retried transaction counts again from here
    const added = new Set<string>()
    const records: { run_id: string; record_id: string; outcome: string; changes: object }[] = []
    await note(
      tx,
      run,
      taken.flatMap((it) => ('miss' in it ? [it.miss] : [])),
    )
    for (const one of taken) {
      if ('miss' in one) continue
      const { it, sha256, ext } = one
      const file = { filename: cleanFilename(it.file, `image.${ext}`), sha256 }
      const { image, isNew } = copies.has(it)
        ? await putCopy(tx, clock, it.product.id, file)
        : await putImport(tx, clock, it.product.id, file)
      if (isNew) added.add(it.product.id)
      else counts.unchanged++
      counts.matched++
      records.push({
        run_id: run.id,
        record_id: it.entry.name,
        outcome: 'matched',
        changes: { sku: it.product.sku, product_id: it.product.id, image_id: image?.id },
      })
    }
    await tx.runRecord.createMany({ data: records, skipDuplicates: true })
    await run.saveCheckpoint(tx, { done }, counts)
    return added
  })
}

interface PutFile {
  filename: string
  sha256: string
}

async function putImport(tx: Db, clock: Clock, productId: string, file: PutFile): Promise<{ image: Photo | undefined; isNew: boolean }> {
  const there = await tx.photo.findFirst({ where: { product_id: productId, sha256: file.sha256, deleted_at: null } })
  if (there) return { image: there, isNew: false }
  const [image] = await addPhotosIn(tx, clock, { productId, photos: [{ source: 'import', ...file }], primary: false })
  return { image, isNew: true }
}

/** A product that Zoho cannot have has no copy of Zoho's image. */
async function putCopy(tx: Db, clock: Clock, productId: string, file: PutFile): Promise<{ image: Photo | undefined; isNew: boolean }> {
  const { zoho_item_id } = await tx.product.findUniqueOrThrow({ where: { id: productId }, select: { zoho_item_id: true } })
  if (zoho_item_id === null) return putImport(tx, clock, productId, file)
  const { photo, changed } = await putZohoCopy(tx, { productId, ...file })
  return { image: photo, isNew: changed }
}

async function note(tx: Parameters<Parameters<RunContext['fenced']>[0]>[0], run: RunContext, missed: UnmatchedEntry[]): Promise<void> {
  await tx.runRecord.createMany({
    data: missed.map(({ entry, kind, said, productIds }) => ({
      run_id: run.id,
      record_id: entry.name,
      outcome: kind,
      changes: {
        code: said.code,
        message: said.message,
        params: said.params as Prisma.InputJsonObject,
        ...(productIds.length > 0 && { product_ids: productIds }),
      },
    })),
    skipDuplicates: true,
  })
  await run.fail(
    tx,
    missed
      .filter((it) => it.kind === 'unreadable')
      .map(({ entry, said, productIds }) => ({
        stage: 'import',
        ...failureOf(around(said, 'around.about', { about: entry.name })),
        product_id: productIds[0],
      })),
  )
}
