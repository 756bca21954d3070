import { rm, stat } from 'node:fs/promises'
import { join, parse } from 'node:path'
import pLimit from 'p-limit'
import { z } from 'zod'
import type { Database, Db } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { hashOfFile } from '../../lib/hash-file.ts'
import type { JobQueue, JobWorker } from '../../queue/queue.ts'
import { BatchState, partOfRun, runBatches } from '../../queue/split-run.ts'
import { because } from '../../runs/because.ts'
import type { RunHandler } from '../../runs/run-handler.ts'
import type { IntegrityFinding } from '../../schemas/media.ts'
import type { BlobStore, StoredEntry } from '../storage/blob-store.ts'
import type { ItemLinks } from '../storage/item-links.ts'
import { hashIn } from '../storage/move-storage.ts'

export const MEDIA_INTEGRITY_SCAN = 'media_integrity_scan'
const Checkpoint = BatchState.extend({ phase: z.enum(['originals', 'variants', 'files']) })
type Checkpoint = z.infer<typeof Checkpoint>
const BATCH_SIZE = 50
/** Files that a process reads in parallel: a scan must not slow the disk down for requests. */
const AT_ONCE = 2
/** A younger file may be new: its row is written after it. */
export const SETTLED_MS = 15_000

export interface IntegrityScanDeps {
  db: Database
  store: BlobStore
  itemLinks: ItemLinks
  clock: Clock
  queue: JobQueue
  jobs: JobWorker<'hashing'>
}

interface Found {
  kind: IntegrityFinding['kind']
  sha256: string
  size: bigint | null
  repair: IntegrityFinding['repair']
  /** The name of a file in the folder of item images. */
  file?: string
}

/**
 * Reads and hashes every stored file, then searches for files without a row. Writes only its
 * findings, and restores the links of the images on the way.
 */
export function createIntegrityScan({ db, store, itemLinks, clock, queue, jobs }: IntegrityScanDeps): RunHandler {
  return {
    kind: MEDIA_INTEGRITY_SCAN,
    exclusiveKey: MEDIA_INTEGRITY_SCAN,
    async execute(run) {
      await run.fenced((tx) =>
        tx.mediaScan.upsert({ where: { run_id: run.id }, create: { run_id: run.id, started_at: clock.now() }, update: {} }),
      )
      const total = (await db.blob.count({ where: { removed_at: null } })) + (await db.variant.count())
      let at: Checkpoint = run.checkpoint ? Checkpoint.parse(run.checkpoint) : { phase: 'originals', after: '', open: [] }
      let checked = run.statistics.checked ?? 0
      let findings = run.statistics.findings ?? 0
      const note = async (tx: Db, found: Found[], next: Checkpoint, more: number) => {
        // After a crash the scan reads the files again and finds again what it has recorded.
        const { count } = await tx.mediaFinding.createMany({ data: found.map((it) => ({ ...it, run_id: run.id })), skipDuplicates: true })
        checked += more
        findings += count
        at = next
        await run.saveCheckpoint(tx, next, { checked, findings })
        run.report({ progress: { phase: next.phase, done: Math.min(checked, total), total } })
      }
      const save = (found: Found[], next: Checkpoint, more: number) => run.fenced((tx) => note(tx, found, next, more))

      for (const kind of ['originals', 'variants'] as const) {
        if (at.phase !== kind) continue
        await runBatches(run, {
          db,
          queue,
          worker: jobs,
          state: at,
          batchSize: BATCH_SIZE,
          result: HashJobResult,
          keys: (after, limit) => nextHashes(db, kind, after, limit),
          jobOf: (range) => ({ run_id: run.id, kind, ...range }),
          async account(tx, results, state) {
            const damaged = results.flatMap((it) => it.damaged.map((one) => ({ ...one, size: BigInt(one.size) })))
            const found =
              kind === 'originals'
                ? await withRepair(tx, damaged)
                : damaged.map((it): Found => ({ ...it, kind: it.kind === 'missing' ? 'missing_variant' : it.kind, repair: 'rebuild' }))
            await note(
              tx,
              found,
              { phase: kind, ...state },
              results.reduce((sum, it) => sum + it.checked, 0),
            )
          },
        })
        await save([], { phase: kind === 'originals' ? 'variants' : 'files', after: '', open: [] }, 0)
      }
      for (const kind of ['originals', 'variants'] as const) {
        let batch: StoredEntry[] = []
        const flush = async () => {
          await save(await unknownFiles(db, kind, batch, clock), at, 0)
          batch = []
        }
        for await (const entry of store.list(kind)) {
          run.signal.throwIfAborted()
          if (batch.push(entry) >= 1_000) await flush()
        }
        await flush()
      }
      const { foreign } = await itemLinks.restore(db)
      await save(await filesByHand(db, itemLinks, foreign), at, 0)
      await run.fenced((tx) => tx.mediaScan.update({ where: { run_id: run.id }, data: { finished_at: clock.now(), checked } }))
      return findings > 0 ? { state: 'partial', ...because('files_differ', { files: findings }) } : { state: 'success' }
    },
  }
}

type Damage = { kind: 'missing' | 'wrong_hash'; sha256: string; size: bigint }

const HashJobResult = z.object({
  checked: z.int(),
  damaged: z.array(z.object({ kind: z.enum(['missing', 'wrong_hash']), sha256: z.string(), size: z.string() })),
})

async function nextHashes(db: Database, kind: 'originals' | 'variants', after: string, limit: number): Promise<string[]> {
  const rows =
    kind === 'originals'
      ? await db.$queryRaw<{ sha256: string }[]>`
          select sha256 from blob where removed_at is null and sha256 > ${after} order by sha256 limit ${limit}`
      : await db.$queryRaw<{ sha256: string }[]>`
          select distinct sha256 from variant where sha256 > ${after} order by sha256 limit ${limit}`
  return rows.map(({ sha256 }) => sha256)
}

/** Reads the files of a batch and compares them with their hashes. */
export function createHashJobs({ db, store }: Pick<IntegrityScanDeps, 'db' | 'store'>): JobWorker<'hashing'> {
  return {
    queue: 'hashing',
    concurrency: 1,
    pollSeconds: 2,
    execute: ({ run_id, kind, after, upto }, jobSignal) =>
      partOfRun(db, run_id, jobSignal, async (_params, signal): Promise<z.infer<typeof HashJobResult>> => {
        const range = { gt: after, lte: upto }
        const rows =
          kind === 'originals'
            ? await db.blob.findMany({ where: { removed_at: null, sha256: range }, select: { sha256: true, size: true } })
            : await db.variant.findMany({ where: { sha256: range }, distinct: ['sha256'], select: { sha256: true, size: true } })
        const limit = pLimit(AT_ONCE)
        const results = await Promise.all(
          rows.map(({ sha256, size }) =>
            limit(async () => {
              signal.throwIfAborted()
              return { kind: await inspectFile(store, kind, { sha256, size: Number(size) }), sha256, size: String(size) }
            }),
          ),
        )
        return {
          checked: rows.length,
          damaged: results.flatMap(({ kind, ...it }) => (kind === 'whole' ? [] : [{ kind, ...it }])),
        }
      }),
  }
}

/** Checks one stored file now. */
export async function inspectFile(
  store: BlobStore,
  kind: 'originals' | 'variants',
  { sha256, size }: { sha256: string; size: number },
): Promise<'whole' | 'missing' | 'wrong_hash'> {
  const there = await store.sizeOf(kind, sha256)
  if (there === null) return 'missing'
  return there === size && (await hashIn(store, kind, sha256)) === sha256 ? 'whole' : 'wrong_hash'
}

/** Adds the source from which each damaged original can be fetched again. */
async function withRepair(db: Db, damaged: Damage[]): Promise<Found[]> {
  if (damaged.length === 0) return []
  const photos = await db.photo.findMany({
    where: { sha256: { in: damaged.map((it) => it.sha256) }, deleted_at: null },
    select: { sha256: true, source: true, source_url: true, product: { select: { zoho_item_id: true } } },
  })
  return damaged.map((it) => {
    const own = photos.filter((photo) => photo.sha256 === it.sha256)
    const repair: Found['repair'] =
      own.length === 0
        ? 'remove'
        : own.some((photo) => photo.source === 'zoho' && photo.product.zoho_item_id !== null)
          ? 'fetch_zoho'
          : own.some((photo) => photo.source_url !== null)
            ? 'fetch_url'
            : 'upload_again'
    return { ...it, repair }
  })
}

/**
 * Files that a person put beside the links, named by a Zoho id. One whose bytes its product has
 * already is removed: the next look shows the link.
 */
async function filesByHand(db: Database, { folder }: ItemLinks, files: string[]): Promise<Found[]> {
  const found: Found[] = []
  for (const file of files) {
    const path = join(folder, file)
    const facts = await stat(path).catch(() => null)
    if (!facts?.isFile()) continue
    const sha256 = await hashOfFile(path)
    const product = await db.product.findUnique({ where: { zoho_item_id: parse(file).name, deleted_at: null }, select: { id: true } })
    const known = product && (await db.photo.count({ where: { product_id: product.id, sha256, deleted_at: null } })) > 0
    // Bytes that were removed from the store are left of a link.
    const isLeft = (await db.blob.count({ where: { sha256, removed_at: { not: null } } })) > 0
    if (known || isLeft) await rm(path, { force: true })
    else found.push({ kind: 'untracked', sha256, size: BigInt(facts.size), repair: product ? 'adopt' : 'upload_again', file })
  }
  return found
}

async function unknownFiles(db: Db, kind: 'originals' | 'variants', files: StoredEntry[], clock: Clock): Promise<Found[]> {
  if (files.length === 0) return []
  const lookUp = async (names: string[]) =>
    new Set(
      (kind === 'originals'
        ? await db.blob.findMany({ where: { sha256: { in: names }, removed_at: null }, select: { sha256: true } })
        : await db.variant.findMany({ where: { sha256: { in: names } }, select: { sha256: true } })
      ).map((it) => it.sha256),
    )
  const known = await lookUp(files.map((it) => it.sha256))
  let unknown = files.filter((it) => !known.has(it.sha256))
  const youngest = Math.max(0, ...unknown.map((it) => it.modified_at.getTime()))
  if (Date.now() - youngest < SETTLED_MS) {
    await clock.sleep(SETTLED_MS)
    const arrived = await lookUp(unknown.map((it) => it.sha256))
    unknown = unknown.filter((it) => !arrived.has(it.sha256))
  }
  return unknown.map((it) => ({
    kind: kind === 'originals' ? ('untracked' as const) : ('orphan_variant' as const),
    sha256: it.sha256,
    size: BigInt(it.size),
    repair: 'remove' as const,
  }))
}
