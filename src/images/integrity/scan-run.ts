import pLimit from 'p-limit'
import { z } from 'zod'
import type { Database, Db } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { because } from '../../runs/because.ts'
import type { RunContext, RunHandler } from '../../runs/run-handler.ts'
import type { IntegrityFinding } from '../../schemas/media.ts'
import type { BlobStore, StoredEntry } from '../storage/blob-store.ts'
import type { ItemLinks } from '../storage/item-links.ts'
import { hashIn } from '../storage/migrate.ts'

export const MEDIA_INTEGRITY_SCAN = 'media_integrity_scan'
const Checkpoint = z.object({ phase: z.enum(['originals', 'variants', 'files']), after: z.string() })
type Checkpoint = z.infer<typeof Checkpoint>
const BATCH = 200
/** Files read at once: a scan must not take the disk from the people. */
const AT_ONCE = 2
/** A file that is younger may be on its way: its row comes after it. */
export const SETTLED_MS = 15_000

export interface IntegrityScanDeps {
  db: Database
  store: BlobStore
  itemLinks: ItemLinks
  clock: Clock
}

interface Found {
  kind: IntegrityFinding['kind']
  sha256: string
  size: bigint | null
  repair: IntegrityFinding['repair']
}

/** Reads every stored file and hashes it, then looks for files that no row knows. Writes only its findings; the view of the pictures is made true on the way. */
export function createIntegrityScan({ db, store, itemLinks, clock }: IntegrityScanDeps): RunHandler {
  return {
    kind: MEDIA_INTEGRITY_SCAN,
    exclusiveKey: MEDIA_INTEGRITY_SCAN,
    async execute(run) {
      await run.fenced((tx) =>
        tx.mediaScan.upsert({ where: { run_id: run.id }, create: { run_id: run.id, started_at: clock.now() }, update: {} }),
      )
      const total = (await db.blob.count({ where: { removed_at: null } })) + (await db.variant.count())
      let at: Checkpoint = run.checkpoint ? Checkpoint.parse(run.checkpoint) : { phase: 'originals', after: '' }
      let checked = run.statistics.checked ?? 0
      let findings = run.statistics.findings ?? 0
      const save = async (found: Found[], next: Checkpoint, more: number) => {
        checked += more
        at = next
        await run.fenced(async (tx) => {
          // A scan that was killed looks through the files again, and finds again what it has noted.
          const { count } = await tx.mediaFinding.createMany({ data: found.map((it) => ({ ...it, run_id: run.id })), skipDuplicates: true })
          findings += count
          await run.saveCheckpoint(tx, next, { checked, findings })
        })
        run.report({ progress: { phase: next.phase, done: Math.min(checked, total), total } })
      }

      while (at.phase === 'originals') {
        const blobs = await db.blob.findMany({
          where: { removed_at: null, sha256: { gt: at.after } },
          select: { sha256: true, size: true },
          orderBy: { sha256: 'asc' },
          take: BATCH,
        })
        const damaged = await inspect(store, 'originals', blobs, run)
        const last = blobs.at(-1)
        const found = await withRepair(db, damaged)
        await save(found, last ? { phase: 'originals', after: last.sha256 } : { phase: 'variants', after: '' }, blobs.length)
      }
      while (at.phase === 'variants') {
        const variants = await db.$queryRaw<{ sha256: string; size: bigint }[]>`
          select distinct on (sha256) sha256, size from variant where sha256 > ${at.after} order by sha256 limit ${BATCH}`
        const damaged = await inspect(store, 'variants', variants, run)
        const found = damaged.map((it): Found => ({ ...it, kind: it.kind === 'missing' ? 'missing_variant' : it.kind, repair: 'rebuild' }))
        const last = variants.at(-1)
        await save(found, last ? { phase: 'variants', after: last.sha256 } : { phase: 'files', after: '' }, variants.length)
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
      await itemLinks.restore(db)
      await run.fenced((tx) => tx.mediaScan.update({ where: { run_id: run.id }, data: { finished_at: clock.now(), checked } }))
      return findings > 0 ? { state: 'partial', ...because('files_differ', { files: findings }) } : { state: 'success' }
    },
  }
}

type Damage = { kind: 'missing' | 'wrong_hash'; sha256: string; size: bigint }

async function inspect(
  store: BlobStore,
  kind: 'originals' | 'variants',
  rows: { sha256: string; size: bigint }[],
  run: RunContext,
): Promise<Damage[]> {
  const limit = pLimit(AT_ONCE)
  const verdicts = await Promise.all(
    rows.map(({ sha256, size }) =>
      limit(async (): Promise<Damage | null> => {
        run.signal.throwIfAborted()
        const verdict = await inspectFile(store, kind, { sha256, size: Number(size) })
        return verdict === 'whole' ? null : { kind: verdict, sha256, size }
      }),
    ),
  )
  return verdicts.filter((it) => it !== null)
}

/** Looks at one stored file now. */
export async function inspectFile(
  store: BlobStore,
  kind: 'originals' | 'variants',
  { sha256, size }: { sha256: string; size: number },
): Promise<'whole' | 'missing' | 'wrong_hash'> {
  const there = await store.sizeOf(kind, sha256)
  if (there === null) return 'missing'
  return there === size && (await hashIn(store, kind, sha256)) === sha256 ? 'whole' : 'wrong_hash'
}

/** Where each damaged original can be had again. */
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
