import pLimit from 'p-limit'
import { z } from 'zod'
import type { Prisma } from '../../generated/client.ts'
import { AppError } from '../../lib/errors.ts'
import { around } from '../../messages/say.ts'
import { failureOf } from '../../runs/because.ts'
import type { RunContext, RunHandler } from '../../runs/run-handler.ts'
import { addPhotosIn } from '../gallery/edit.ts'
import { cleanFilename } from '../gallery/filename.ts'
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
      const failed = await withImport(deps, import_id, run.signal, async (source) => {
        const { matched, missed } = await matchEntries(deps.db, source)
        let { done } = run.checkpoint ? Checkpoint.parse(run.checkpoint) : { done: 0 }
        if (done === 0) await run.fenced((tx) => note(tx, run, missed))
        let unreadable = missed.filter((it) => it.kind === 'unreadable').length
        const counts = { matched: run.statistics.matched ?? 0, unchanged: run.statistics.unchanged ?? 0 }
        while (done < matched.length) {
          run.signal.throwIfAborted()
          const batch = matched.slice(done, done + BATCH)
          const taken = await takeAll(deps.ingest, batch, run.signal)
          done += batch.length
          const added = await writeBatch(run, deps, taken, done, counts)
          for (const productId of added) await deps.itemLinks.refresh(deps.db, productId)
          unreadable += taken.filter((it) => 'miss' in it).length
          run.report({
            statistics: {
              ...counts,
              unreadable,
              unmatched: missed.filter((it) => it.kind !== 'unreadable').length,
              total: matched.length + missed.length,
            },
            progress: { phase: 'pictures', done, total: matched.length },
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
  done: number,
  counts: { matched: number; unchanged: number },
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
      const there = await tx.photo.findFirst({ where: { product_id: it.product.id, sha256, deleted_at: null } })
      const photo = { source: 'import' as const, filename: cleanFilename(it.file, `image.${ext}`), sha256 }
      const [image] = there ? [there] : await addPhotosIn(tx, clock, { productId: it.product.id, photos: [photo], primary: false })
      if (there) counts.unchanged++
      else added.add(it.product.id)
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
