import { z } from 'zod'
import { noteDetails, readsHiddenFields } from '../../catalog/custom-fields.ts'
import { recordDifferences } from '../../catalog/diff-items.ts'
import { type FieldRules, readFieldRules } from '../../catalog/field-mapping.ts'
import { applyFieldOwnership } from '../../catalog/field-ownership.ts'
import type { ItemRow } from '../../catalog/item-fields.ts'
import { saveLocations, saveStock } from '../../catalog/product-stock.ts'
import type { RawDb } from '../../database/client.ts'
import { message } from '../../messages/say.ts'
import { failure } from '../../runs/because.ts'
import type { RunContext, RunHandler, RunOutcome } from '../../runs/run-handler.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { IDS_PER_CALL, itemsById } from '../../zoho/inventory.ts'
import { listLocations } from '../../zoho/locations.ts'
import type { ZohoItem } from '../../zoho/read-item.ts'
import { isCustom } from '../items/read-fields.ts'
import { type ApiSyncDeps, openClient } from '../items/sync-from-api.ts'
import { type ItemMapping, toItemRows } from '../items/to-item-row.ts'
import { pauseOnOutage } from '../pause-on-outage.ts'
import { fieldsDue, hasLocations, isLocationListDue, LOCATIONS_READ, stockOrder, unseenFields } from './stock-queries.ts'

export const STOCK_SYNC = 'stock'

/**
 * `full`: a person wants it, so the list of locations is read again. `fields_only`: only hidden
 * custom fields of changed items.
 */
export const StockParams = z.object({
  mode: z.enum(['incremental', 'full']).default('incremental'),
  fields_only: z.boolean().default(false),
})
const Checkpoint = z.object({ located: z.boolean().default(false) })

/**
 * Reads what only the details of items say, a hundred items per call: stock by location, where the
 * organization has locations, and custom fields that lists do not show. Crash-safe: it asks for
 * each item once, whichever process works on it.
 */
export function createStockSync(deps: ApiSyncDeps): RunHandler {
  return {
    kind: STOCK_SYNC,
    exclusiveKey: STOCK_SYNC,
    async execute(run) {
      try {
        return await readDetails(run, deps)
      } catch (error) {
        const paused = await pauseOnOutage(run, deps, error, { evenAtStart: true })
        if (paused) return paused
        throw error
      }
    },
  }
}

interface Reading {
  zoho: ZohoClient
  mapping: ItemMapping
  /** The values of hidden custom fields are stored, too. */
  fields: boolean
  job: 'stock' | 'items'
}

async function readDetails(run: RunContext, deps: ApiSyncDeps): Promise<RunOutcome> {
  const { db } = deps
  const { mode, fields_only } = StockParams.parse(run.params)
  const readsStock = !fields_only && (await deps.stockPercent()) > 0
  const fields = await readsHiddenFields(db)
  const zoho = await openClient(run, deps)
  if (readsStock) await readLocations(run, deps, zoho, { asked: mode === 'full' })
  let reading: Reading | undefined
  const open = async (): Promise<Reading> => {
    // The currency belongs to prices, and would cost a call.
    reading ??= { zoho, mapping: { currency: null, rules: await readFieldRules(db) }, fields, job: 'stock' }
    return reading
  }
  if (readsStock && (await hasLocations(db))) {
    const ids = await stockOrder(db, run.id)
    if (ids.length > 0) await readItems(run, deps, await open(), ids)
  }
  // The stock of all items has brought these along.
  const others = fields ? await fieldsDue(db, run.id) : fields_only ? [] : await unseenFields(db)
  if (others.length > 0) await readItems(run, deps, { ...(await open()), job: 'items' }, others)
  return { state: (run.counted().failed ?? 0) > 0 ? 'partial' : 'success' }
}

/** Once a day, or when a person asks for it: an organization without any costs two calls. */
async function readLocations(run: RunContext, { db, clock }: ApiSyncDeps, zoho: ZohoClient, { asked }: { asked: boolean }): Promise<void> {
  if (run.checkpoint && Checkpoint.parse(run.checkpoint).located) return
  if (asked || (await isLocationListDue(db, clock.now()))) {
    const locations = await listLocations(zoho, { runId: run.id }, run.signal)
    const at = clock.now()
    await run.fenced(async (tx) => {
      await saveLocations(tx, locations, { at })
      const read = { succeeded_at: at, run_id: run.id }
      await tx.watermark.upsert({ where: { name: LOCATIONS_READ }, create: { name: LOCATIONS_READ, ...read }, update: read })
    })
    run.report({ statistics: { locations: locations.length } })
  }
  await run.fenced((tx) => run.saveCheckpoint(tx, { located: true }, run.counted()))
}

async function readItems(run: RunContext, { clock }: ApiSyncDeps, { zoho, mapping, fields, job }: Reading, ids: string[]): Promise<void> {
  const counts = { total: 0, unchanged: 0, updated: 0, failed: 0, not_found: 0, ...run.counted() }
  const before = counts.total
  for (let from = 0; from < ids.length; from += IDS_PER_CALL) {
    run.signal.throwIfAborted()
    const asked = ids.slice(from, from + IDS_PER_CALL)
    const at = clock.now()
    const { found } = await itemsById(zoho, { ids: asked, runId: run.id, job }, run.signal)
    await run.fencedRaw(async (tx) => {
      const items = await living(tx, [...found.values()])
      const mapped = await toItemRows(tx, items, mapping)
      const rows = mapped.map(({ row }) => detailRow(row, { fields, rules: mapping.rules })).filter((row) => Object.keys(row).length > 1)
      const changed = await recordDifferences(tx, await applyFieldOwnership(tx, rows), { runId: run.id, again: new Set(), writeAt: at })
      const moved = await saveStock(tx, items, { at })
      await noteDetails(tx, { runId: run.id, asked, items, at, stored: fields })
      const unreadable = items.filter((item) => item.unreadable.some((key) => STOCK_KEYS.includes(key)))
      await run.fail(
        tx,
        unreadable.map((item) => ({
          stage: 'item',
          ...failure('invalid_item', { field: message('field.stock'), name: item.name ?? item.item_id }),
          zoho_item_id: item.item_id,
          sku: item.sku ?? undefined,
        })),
      )
      counts.total += items.length
      // A product whose total and places changed counts once.
      counts.updated += Math.max(moved, changed.updated)
      counts.unchanged = counts.total - counts.updated
      counts.failed += unreadable.length
      counts.not_found += asked.length - items.length
      await run.saveCheckpoint(tx, { located: true }, counts)
    })
    run.report({ progress: { phase: 'stock', done: counts.total - before, total: ids.length, waiting: null } })
  }
}

const STOCK_KEYS = ['locations', 'stock_on_hand', 'available_stock', 'actual_available_stock']

/**
 * What of a detail is written: everything else is the item sync's. Fields that the mapping reads
 * from a custom field come along, since lists may not show that one.
 */
const detailRow = (row: ItemRow, { fields, rules }: { fields: boolean; rules: FieldRules }): ItemRow => ({
  zoho_item_id: row.zoho_item_id,
  ...(fields &&
    Object.fromEntries(
      [...rules].flatMap(([field, { source }]) => (isCustom(source) && row[field] !== undefined ? [[field, row[field]]] : [])),
    )),
  ...(row.stock_on_hand !== undefined && { stock_on_hand: row.stock_on_hand }),
  ...(row.available_stock !== undefined && { available_stock: row.available_stock }),
  ...(row.actual_available_stock !== undefined && { actual_available_stock: row.actual_available_stock }),
  ...(fields && { custom_fields: row.custom_fields ?? {} }),
})

/** Without those that were deleted here meanwhile: writing would restore them. */
async function living(tx: RawDb, items: ZohoItem[]): Promise<ZohoItem[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    select zoho_item_id as id from product where zoho_item_id = any(${items.map((item) => item.item_id)}) and deleted_at is null order by id for no key update`
  const ids = new Set(rows.map(({ id }) => id))
  return items.filter((item) => ids.has(item.item_id))
}
