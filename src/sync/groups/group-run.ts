import { z } from 'zod'
import type { Database, RawDb } from '../../database/client.ts'
import { type IngestDeps, ingestImage } from '../../images/processing/ingest.ts'
import type { Clock } from '../../lib/clock.ts'
import { AppError } from '../../lib/errors.ts'
import { sanitizeForJsonb } from '../../lib/jsonb.ts'
import { failure, failureOf } from '../../runs/because.ts'
import type { RunContext, RunHandler } from '../../runs/run-handler.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { ZohoNotFoundError } from '../../zoho/errors.ts'
import { documentImage } from '../../zoho/inventory.ts'
import { listItemGroups, readItemGroup, type ZohoGroupFacts, type ZohoItemGroup } from '../../zoho/item-groups.ts'
import type { RateLimitWait } from '../../zoho/rate-limiter.ts'
import { isRunLevelError } from '../images/sync-images.ts'
import { pauseOnOutage } from '../pause-on-outage.ts'

export const GROUP_SYNC = 'groups'
export const GROUP_WATERMARK = 'groups'
const STAGE = 'group'

const Params = z.object({
  mode: z.enum(['incremental', 'full']).default('incremental'),
  /** Also the images of groups. */
  images: z.boolean().default(true),
})

export interface GroupSyncDeps {
  db: Database
  clock: Clock
  ingest: IngestDeps
  openZoho(onWait: (wait: RateLimitWait) => void): Promise<ZohoClient>
}

/**
 * Reads item groups: the list, 200 groups a call, then the detail of each group with variants that
 * is new or has changed. The list also names members and groups, so a rename arrives although no
 * item's time moves. Each detail is one transaction, so a resumed run reads only the others.
 */
export function createGroupSync(deps: GroupSyncDeps): RunHandler {
  return {
    kind: GROUP_SYNC,
    exclusiveKey: GROUP_SYNC,
    async execute(run) {
      try {
        return await sync(run, deps)
      } catch (error) {
        const paused = await pauseOnOutage(run, deps, error, { evenAtStart: true })
        if (paused) return paused
        throw error
      }
    },
  }
}

async function sync(run: RunContext, deps: GroupSyncDeps): Promise<{ state: 'success' | 'partial' }> {
  const { db, clock } = deps
  const { mode, images } = Params.parse(run.params)
  const zoho = await deps.openZoho((wait) => run.report({ progress: { waiting: { ...wait, until: wait.until.toISOString() } } }))
  const counts = { total: 0, new: 0, updated: 0, unchanged: 0, failed: 0, products_changed: 0, images_downloaded: 0, images_failed: 0 }
  const inUse = new Set(
    (await db.product.groupBy({ by: ['group_id'], where: { group_id: { not: null }, deleted_at: null } })).map((it) => it.group_id!),
  )
  const groups: ZohoItemGroup[] = []
  const unreadable: unknown[] = []
  for await (const page of listItemGroups(zoho, { runId: run.id, onUnreadable: (row) => unreadable.push(row) }, run.signal)) {
    const variants = page.filter(({ id, hasVariants }) => hasVariants ?? inUse.has(id))
    groups.push(...variants)
    await run.fencedRaw(async (tx) => {
      counts.products_changed += await saveMembers(tx, variants, clock.now())
    })
  }
  counts.total = groups.length
  counts.failed = unreadable.length
  await run.fenced((tx) =>
    run.fail(
      tx,
      unreadable.map((row) => ({ stage: STAGE, ...failure('invalid_group', { name: nameOf(row) }) })),
    ),
  )

  const known = new Map((await db.productGroup.findMany({ select: { id: true, content_key: true } })).map((it) => [it.id, it.content_key]))
  for (const [n, group] of groups.entries()) {
    run.report({ statistics: counts, progress: { phase: 'groups', done: n, total: groups.length, waiting: null } })
    const before = known.get(group.id)
    if (before === group.contentKey) {
      counts.unchanged++
      continue
    }
    try {
      const { facts, attributes } = await readItemGroup(zoho, { id: group.id, runId: run.id }, run.signal)
      await run.fenced(async (tx) => {
        const data = {
          name: group.name,
          ...defined({ ...group.facts, ...defined(facts) }),
          ...(attributes && { attributes }),
          content_key: group.contentKey,
          read_at: clock.now(),
        }
        await tx.productGroup.upsert({ where: { id: group.id }, create: { id: group.id, ...data }, update: data })
      })
      counts[before === undefined ? 'new' : 'updated']++
    } catch (error) {
      // Deleted since the list was read: the item sync removes it from its products.
      if (!(error instanceof ZohoNotFoundError)) throw error
    }
  }
  await run.fenced(async (tx) => {
    await tx.$executeRaw`delete from product_group g where not exists (select 1 from product p where p.group_id = g.id and p.deleted_at is null)`
  })
  if (images) await fetchImages(run, deps, zoho, counts)
  await run.fenced(async (tx) => {
    const done = { succeeded_at: clock.now(), run_id: run.id }
    await tx.watermark.upsert({ where: { name: GROUP_WATERMARK }, create: { name: GROUP_WATERMARK, ...done }, update: done })
    await tx.failure.updateMany({
      where: { stage: STAGE, run_id: { not: run.id }, resolved_at: null },
      data: { resolved_at: clock.now() },
    })
    await run.saveCheckpoint(tx, { mode }, counts)
  })
  run.report({ statistics: counts })
  return { state: counts.failed + counts.images_failed > 0 ? 'partial' : 'success' }
}

const nameOf = (row: unknown): string => String((row as Record<string, unknown> | null)?.group_name ?? '?').slice(0, 200)

const defined = (facts: ZohoGroupFacts) =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as { [K in keyof ZohoGroupFacts]?: string | null }

/**
 * Gives products the group, its name and their attributes as the list has them, and returns how
 * many differed. What is no longer named keeps its group until a full item sync: its row is sure.
 */
async function saveMembers(tx: RawDb, groups: ZohoItemGroup[], at: Date): Promise<number> {
  const rows = groups.flatMap(({ id, name, members = [] }) => members.map((member) => ({ ...member, group_id: id, group_name: name })))
  if (rows.length === 0) return 0
  return await tx.$executeRaw`
    update product p set group_id = t.group_id, group_name = t.group_name, attributes = coalesce(t.attributes, p.attributes), updated_at = ${at}
    from jsonb_to_recordset(${sanitizeForJsonb(JSON.stringify(rows))}::jsonb) as t("itemId" text, group_id text, group_name text, attributes jsonb)
    where p.zoho_item_id = t."itemId" and p.deleted_at is null
      and (p.group_id, p.group_name, p.attributes) is distinct from (t.group_id, t.group_name, coalesce(t.attributes, p.attributes))`
}

/** Fetches the images that are not stored; one that Zoho does not have is asked for once. */
async function fetchImages(
  run: RunContext,
  { db, ingest }: GroupSyncDeps,
  zoho: ZohoClient,
  counts: { images_downloaded: number; images_failed: number },
): Promise<void> {
  await db.productGroup.updateMany({
    where: { image_document_id: null, OR: [{ image_sha256: { not: null } }, { image_fetched_id: { not: null } }] },
    data: { image_sha256: null, image_fetched_id: null, image_name: null },
  })
  const pending = await db.$queryRaw<{ id: string; name: string; document: string }[]>`
    select id, coalesce(name, id) as name, image_document_id as document from product_group
    where image_document_id is not null and image_fetched_id is distinct from image_document_id order by id`
  for (const { id, name, document } of pending) {
    let sha256: string | null = null
    try {
      sha256 = await download(zoho, { document, runId: run.id, signal: run.signal, ingest })
    } catch (error) {
      if (run.signal.aborted || isRunLevelError(error) || !(error instanceof AppError)) throw error
      if (!(error instanceof ZohoNotFoundError)) {
        counts.images_failed++
        const failed = failureOf(error)
        await run.fenced((tx) => run.fail(tx, [{ stage: STAGE, ...failed, message: `${name}: ${failed.message}` }]))
        continue
      }
    }
    if (sha256 !== null) counts.images_downloaded++
    await run.fenced((tx) =>
      tx.productGroup.updateMany({
        where: { id, image_document_id: document },
        data: { image_sha256: sha256, image_fetched_id: document },
      }),
    )
    run.report({ statistics: counts })
  }
}

async function download(
  zoho: ZohoClient,
  { document, runId, signal, ingest }: { document: string; runId: string; signal: AbortSignal; ingest: IngestDeps },
): Promise<string> {
  const { body, contentLength, done } = await documentImage(zoho, { documentId: document, runId }, signal)
  try {
    return (await ingestImage(ingest, body, signal, { expectedBytes: contentLength })).sha256
  } finally {
    body.destroy()
    await done()
  }
}
