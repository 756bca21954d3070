import { dirname } from 'node:path'
import { z } from 'zod'
import type { ItemRow } from '../../catalog/item-fields.ts'
import type { Database, Db, RawDb } from '../../database/client.ts'
import { dropImport } from '../../images/import/imports.ts'
import type { BlobStore } from '../../images/storage/blob-store.ts'
import type { Clock } from '../../lib/clock.ts'
import { knownTimeZone } from '../../lib/local-time.ts'
import { failure } from '../../runs/because.ts'
import type { RunContext, RunOutcome } from '../../runs/run-handler.ts'
import { countPending } from '../images/pending-images.ts'
import { type SyncImagesDeps, syncImages } from '../images/sync-images.ts'
import { takeFileImages } from './file-images.ts'
import {
  DEFAULT_FILE,
  type FilePage,
  findImportFile,
  findImportPath,
  findUploadedFile,
  type ImportFile,
  readImportFile,
} from './file-source.ts'
import { countsFrom, finalizeStatistics } from './item-sync-result.ts'
import type { ItemSyncParams } from './params.ts'
import { countSkuConflicts, reportSkuConflicts } from './sku-conflicts.ts'
import { restorePhotos } from './sync-deletions.ts'
import { listedBefore, upsertListed, writePage } from './sync-list.ts'

export interface FileSyncDeps extends Omit<SyncImagesDeps, 'zoho'> {
  db: Database
  clock: Clock
  /** DATA_DIR/imports */
  importsDir: string
  maxImportBytes: number
  /** Where uploaded files wait. */
  store: BlobStore
  /** The organization's currency; null where nothing is known of it. Asks Zoho where it can. */
  organizationCurrency(signal: AbortSignal): Promise<string | null>
  /** For times without an offset; null where nothing is known of the organization. */
  organizationZone(): Promise<string | null>
}

/**
 * How many pages of the file are written; after a crash it is read again from its start, and those
 * are skipped.
 */
const FileCheckpoint = z.object({
  phase: z.enum(['items', 'files', 'images']),
  mode: z.literal('full'),
  version: z.string(),
  pages: z.number(),
  /** Keys of the records that zinc has no field for; listed once at the end. */
  unknown_keys: z.array(z.string()).default([]),
})
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
  const limits = { maxBytes: deps.maxImportBytes }
  if (params.path !== undefined) return syncFile(run, deps, params, await findImportPath(params.path, limits))
  if (params.import_id === undefined)
    return syncFile(run, deps, params, await findImportFile(deps.importsDir, params.file ?? DEFAULT_FILE, limits))
  const { db, store } = deps
  const { archive } = await db.imageImport.findUniqueOrThrow({ where: { id: params.import_id } })
  await using upload = await store.openLocal('imports', archive ?? '', run.signal)
  const outcome = await syncFile(run, deps, params, await findUploadedFile(upload.path, params.file ?? 'items.json', limits))
  await dropImport({ db, store }, params.import_id)
  return outcome
}

async function syncFile(run: RunContext, deps: FileSyncDeps, params: ItemSyncParams, file: ImportFile): Promise<RunOutcome> {
  const { db, clock, itemLinks } = deps
  const timeZone = knownTimeZone(await deps.organizationZone())
  /** An import says what it left; a file in DATA_DIR/imports is read again and again. */
  const isImport = params.path !== undefined || params.import_id !== undefined
  const saved = FileCheckpoint.safeParse(run.checkpoint).data
  // A file that was replaced meanwhile is another import: it is read from its start, and equal rows
  // cost nothing.
  let at: FileCheckpoint =
    saved?.version === file.version ? saved : { phase: 'items', mode: 'full', version: file.version, pages: 0, unknown_keys: [] }

  if (at.phase === 'items') {
    const counts = countsFrom(run.statistics)
    /** Asked once; blank where nobody knows it. */
    let currency: string | undefined
    let number = 0
    for await (const page of readImportFile(file, { timeZone, signal: run.signal })) {
      number++
      if (number <= at.pages) continue
      at = { ...at, pages: number, unknown_keys: mergeKeys(at.unknown_keys, page) }
      if (page.items.some((it) => it.needsCurrency)) {
        currency ??= (await deps.organizationCurrency(run.signal)) ?? ''
        setCurrencies(page, currency)
      }
      if (params.owned_by_zoho) for (const row of page.rows) row.origin = 'zoho'
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
    at = { ...at, phase: 'files', pages: 0 }
    await run.fenced(async (tx) => {
      await tx.runPage.deleteMany({ where: { run_id: run.id } })
      if (isImport) await noteUnknownKeys(run, tx, file.name, at.unknown_keys)
      if (isImport && currency === '') await run.fail(tx, [{ stage: 'import', ...failure('currency_unknown', { file: file.name }) }])
      await run.saveCheckpoint(tx, at)
    })
  }
  if (at.phase === 'files') {
    if (params.path !== undefined) {
      const folder = dirname(params.path)
      let number = 0
      for await (const page of readImportFile(file, { timeZone, signal: run.signal })) {
        number++
        if (number <= at.pages) continue
        at = { ...at, pages: number }
        const before = run.counted()
        await takeFileImages(run, { ...deps, folder }, page, {
          dryRun: params.dry_run,
          save: async (tx, found) => {
            await run.saveCheckpoint(
              tx,
              at,
              Object.fromEntries(Object.entries(found).map(([key, count]) => [key, (before[key] ?? 0) + count])),
            )
          },
        })
        run.report({ progress: { phase: 'images', done: run.counted().images_taken ?? 0, waiting: null } })
      }
    }
    at = { ...at, phase: 'images' }
    await run.fenced((tx) => run.saveCheckpoint(tx, at))
  }
  if (params.sync_images && !params.dry_run) await syncImages(run, { ...deps, zoho: null }, { runId: run.id, zoho: false, only: null })
  return { state: await finalizeStatistics(run, db, { withImages: params.sync_images && !params.dry_run }) }
}

/** Keys of a file that are listed by name. */
const MOST_KEYS = 50

const mergeKeys = (known: string[], page: FilePage): string[] =>
  [...new Set([...known, ...page.items.flatMap((it) => it.unknownKeys)])].slice(0, MOST_KEYS)

/** Prices without a currency are in the organization's, as Zoho's own are. */
function setCurrencies(page: FilePage, currency: string): void {
  if (currency === '') return
  for (const { row, needsCurrency } of page.items) if (needsCurrency) row.currency = currency
}

async function noteUnknownKeys(run: RunContext, tx: Db, file: string, keys: string[]): Promise<void> {
  if (keys.length > 0) await run.fail(tx, [{ stage: 'import', ...failure('file_fields_left', { file, fields: keys }) }])
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
