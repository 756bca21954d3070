import { z } from 'zod'
import type { ItemRow } from '../../catalog/item-fields.ts'
import type { Database, RawDb } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { failure } from '../../runs/because.ts'
import type { RunContext, RunOutcome } from '../../runs/run-handler.ts'
import { countPending } from '../images/pending-images.ts'
import { type SyncImagesDeps, syncImages } from '../images/sync-images.ts'
import { DEFAULT_FILE, type FilePage, findImportFile, readImportFile } from './file-source.ts'
import type { ItemSyncParams } from './params.ts'
import { countsFrom, finalizeStatistics } from './result.ts'
import { countSkuConflicts, reportSkuConflicts } from './sku-conflicts.ts'
import { restorePhotos } from './sync-deletions.ts'
import { listedBefore, upsertListed, writePage } from './sync-list.ts'

export interface FileSyncDeps extends Omit<SyncImagesDeps, 'zoho'> {
  db: Database
  clock: Clock
  /** DATA_DIR/imports */
  importsDir: string
  maxImportBytes: number
}

/**
 * How many pages of the file are written; after a crash it is read again from its start, and those
 * are skipped.
 */
const FileCheckpoint = z.object({ phase: z.enum(['items', 'images']), mode: z.literal('full'), version: z.string(), pages: z.number() })
type FileCheckpoint = z.infer<typeof FileCheckpoint>

/**
 * One row per item: a later record of it adds to the earlier one, as it does when they are in
 * different pages.
 */
const merged = (rows: ItemRow[]): ItemRow[] => {
  const byItem = new Map<string, ItemRow>()
  for (const row of rows) byItem.set(row.zoho_item_id, { ...byItem.get(row.zoho_item_id), ...row })
  return [...byItem.values()]
}

/**
 * Syncs the items of a file instead of Zoho's list: needs no credentials, removes nothing, and
 * leaves alone what a record does not mention. Images come from the URLs in the file, and only if
 * the URL or the file changed.
 */
export async function syncFromFile(run: RunContext, deps: FileSyncDeps, params: ItemSyncParams): Promise<RunOutcome> {
  const { db, clock, itemLinks } = deps
  const file = await findImportFile(deps.importsDir, params.file ?? DEFAULT_FILE, { maxBytes: deps.maxImportBytes })
  const saved = FileCheckpoint.safeParse(run.checkpoint).data
  // A file that was replaced meanwhile is another import: it is read from its start, and equal rows
  // cost nothing.
  let at: FileCheckpoint = saved?.version === file.version ? saved : { phase: 'items', mode: 'full', version: file.version, pages: 0 }

  if (at.phase === 'items') {
    const counts = countsFrom(run.statistics)
    let number = 0
    for await (const page of readImportFile(file, run.signal)) {
      number++
      if (number <= at.pages) continue
      at = { ...at, pages: number }
      const rows = merged(page.rows)
      await run.fencedRaw(async (tx) => {
        const again = await listedBefore(
          tx,
          run.id,
          rows.map((row) => row.zoho_item_id),
        )
        await writePage(run, tx, { rows, counts, dryRun: params.dry_run, again, at: clock.now() })
        counts.failed += page.unreadable.length
        counts.total += rows.length - again.size + page.unreadable.length
        await run.fail(
          tx,
          page.unreadable.map(({ index, zoho_item_id, sku, reason }) => ({
            stage: 'item',
            ...failure('invalid_file_item', { number: index + 1, file: file.name, problem: reason }),
            zoho_item_id: zoho_item_id ?? undefined,
            sku: sku ?? undefined,
          })),
        )
        await noteRepeated(run, tx, { file: file.name, page, again })
        if (number === 1) await noteBadMappings(run, tx, file.badMappings)
        await upsertListed(tx, { runId: run.id, number, rows })
        await run.saveCheckpoint(tx, at, counts)
      })
      run.report({ statistics: counts, progress: { phase: 'items', done: counts.total, waiting: null } })
    }
    if (params.dry_run) {
      const pending = await countPending(db, { runId: run.id, zoho: false, only: null, unlistedOnly: true })
      run.report({ statistics: { conflicts: await countSkuConflicts(db, run.id), images_pending: pending } })
    } else {
      await restorePhotos(run, { db, clock, itemLinks })
      run.report({ statistics: { conflicts: await reportSkuConflicts(run, { clock }) } })
    }
    at = { ...at, phase: 'images' }
    await run.fenced(async (tx) => {
      await tx.runPage.deleteMany({ where: { run_id: run.id } })
      await run.saveCheckpoint(tx, at)
    })
  }
  if (params.sync_images && !params.dry_run) await syncImages(run, { ...deps, zoho: null }, { runId: run.id, zoho: false, only: null })
  return { state: await finalizeStatistics(run, db, { withImages: params.sync_images && !params.dry_run }) }
}

/**
 * Records with the id of an earlier one were written over it, which may be right (one adds to the
 * other) or a damaged export.
 */
async function noteRepeated(
  run: RunContext,
  tx: RawDb,
  { file, page, again }: { file: string; page: FilePage; again: Set<string> },
): Promise<void> {
  const seen = new Set(again)
  const repeated = page.rows.flatMap(({ zoho_item_id, sku }, n) => {
    if (seen.has(zoho_item_id)) return [{ zoho_item_id, sku, index: page.indexes[n]! }]
    seen.add(zoho_item_id)
    return []
  })
  await run.fail(
    tx,
    repeated.map(({ zoho_item_id, sku, index }) => ({
      stage: 'item',
      ...failure('file_item_repeated', { number: index + 1, file, id: zoho_item_id }),
      zoho_item_id,
      sku: sku ?? undefined,
    })),
  )
}

async function noteBadMappings(run: RunContext, tx: RawDb, keys: string[]): Promise<void> {
  await run.fail(
    tx,
    keys.map((key) => ({
      stage: 'image',
      ...failure('bad_mapping', { key: key.slice(0, 50).toWellFormed().replaceAll('\0', '') }),
    })),
  )
}
