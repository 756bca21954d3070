import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { ConflictError, NotFoundError, PayloadTooLargeError } from '../../lib/errors.ts'
import type { ImportPlan } from '../../schemas/images.ts'
import type { BlobStore } from '../storage/blob-store.ts'
import { reserveDiskSpace, toStorageError } from '../storage/disk-space.ts'
import type { BucketAccess } from './bucket-source.ts'
import { detectFormats, type MatchResult, matchEntries } from './match.ts'
import { MapEntry } from './product-map.ts'
import { type ImportLimits, type ImportSource, openFolder, openZip } from './source.ts'

export interface ImportDeps {
  db: Database
  store: BlobStore
  clock: Clock
  limits: ImportLimits
  /** How buckets are read, as S3_* say. */
  bucketAccess: BucketAccess
}

/** How an import from the command line finds products and registers images. */
export interface StageOptions {
  map?: MapEntry[] | undefined
  asZoho?: boolean | undefined
}

const EXPIRES_MS = 24 * 3_600_000
/**
 * Most entries of each list in a response; the counts are complete, and the run's records have all
 * entries.
 */
export const LISTED = 1_000

/**
 * Keeps a ZIP in the store until its run has ended, so that any instance can process it. Returns
 * the import's id. Throws PayloadTooLargeError, StorageFullError, and what openZip throws.
 */
export function stageArchive(
  deps: ImportDeps,
  bytes: Readable,
  signal: AbortSignal,
  options: StageOptions = {},
): Promise<{ id: string; expires_at: Date }> {
  const { limits } = deps
  const check = async (path: string) => (await openZip(path, limits))[Symbol.asyncDispose]()
  return stageFile(deps, bytes, { maxBytes: limits.totalBytes, check, ...options }, signal)
}

/**
 * The same for any file. `check` throws for one that cannot be imported, before it is stored.
 */
export async function stageFile(
  { db, store, clock }: Pick<ImportDeps, 'db' | 'store' | 'clock'>,
  bytes: Readable,
  { maxBytes, check, ...options }: { maxBytes: number; check(path: string): Promise<void> } & StageOptions,
  signal: AbortSignal,
): Promise<{ id: string; expires_at: Date }> {
  using _room = await reserveDiskSpace(store, 0)
  const path = await store.temporaryPath()
  const hash = createHash('sha256')
  let size = 0
  try {
    await pipeline(
      bytes,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          size += chunk.length
          if (size > maxBytes) throw new PayloadTooLargeError('import_too_large', { total_bytes: maxBytes })
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(path, { flags: 'wx' }),
      { signal },
    )
    await check(path)
    const archive = hash.digest('hex')
    await store.keep('imports', path, archive)
    const expires_at = new Date(clock.now().getTime() + EXPIRES_MS)
    const { id } = await db.imageImport.create({ data: { archive, expires_at, ...optionColumns(options) } })
    return { id, expires_at }
  } catch (error) {
    throw toStorageError(error)
  } finally {
    await rm(path, { force: true })
  }
}

/**
 * Stages a folder of this machine, or a bucket (`bucket_url`: s3://BUCKET/PREFIX), for the command
 * line.
 */
export async function stageFolder(
  { db, clock }: Pick<ImportDeps, 'db' | 'clock'>,
  source: { folder: string } | { bucket_url: string },
  options: StageOptions = {},
): Promise<{ id: string; expires_at: Date }> {
  const expires_at = new Date(clock.now().getTime() + EXPIRES_MS)
  return db.imageImport.create({ data: { ...source, expires_at, ...optionColumns(options) }, select: { id: true, expires_at: true } })
}

const optionColumns = ({ map, asZoho = false }: StageOptions) => ({ ...(map && { map }), as_zoho: asZoho })

/** What an import says besides its files. */
export interface ImportRules {
  map: MapEntry[] | null
  asZoho: boolean
}

/** Opens a staged import. Throws NotFoundError when it no longer exists. */
export async function withImport<T>(
  { db, store, limits, bucketAccess }: Pick<ImportDeps, 'db' | 'store' | 'limits' | 'bucketAccess'>,
  id: string,
  signal: AbortSignal,
  work: (source: ImportSource, rules: ImportRules) => Promise<T>,
): Promise<T> {
  const row = await db.imageImport.findUnique({ where: { id } })
  if (!row) throw notFound()
  const rules: ImportRules = { map: row.map === null ? null : MapEntry.array().parse(row.map), asZoho: row.as_zoho }
  if (row.folder !== null) {
    await using source = await openFolder(row.folder, limits)
    return await work(source, rules)
  }
  if (row.bucket_url !== null) {
    // The bucket's library is large, so it is loaded only where a bucket is read.
    const { openBucketFolder } = await import('./bucket-source.ts')
    await using source = await openBucketFolder(row.bucket_url, bucketAccess, limits)
    return await work(source, rules)
  }
  await using archive = await store.openLocal('imports', row.archive ?? '', signal)
  await using source = await openZip(archive.path, limits)
  return await work(source, rules)
}

/** Returns what an import would do now, without doing it. */
export function previewImport(deps: ImportDeps, id: string, signal: AbortSignal): Promise<MatchResult> {
  return withImport(deps, id, signal, async (source, { map }) => detectFormats(await matchEntries(deps.db, source, map)))
}

/** Marks an import as started, once. */
export async function claimImport({ db, clock }: Pick<ImportDeps, 'db' | 'clock'>, id: string): Promise<void> {
  const { count } = await db.imageImport.updateMany({
    where: { id, started_at: null, expires_at: { gt: clock.now() } },
    data: { started_at: clock.now() },
  })
  if (count === 1) return
  if (!(await db.imageImport.findFirst({ where: { id, started_at: { not: null } } }))) throw notFound()
  throw new ConflictError('import_started')
}

const notFound = () => new NotFoundError('import_not_found')

/** Deletes an import, and its ZIP unless another import has the same one. */
export async function dropImport({ db, store }: Pick<ImportDeps, 'db' | 'store'>, id: string): Promise<void> {
  const row = await db.imageImport.findUnique({ where: { id } })
  if (!row) return
  await db.imageImport.delete({ where: { id } })
  if (row.archive !== null && (await db.imageImport.count({ where: { archive: row.archive } })) === 0)
    await store.remove('imports', row.archive)
}

/**
 * Deletes previews that nobody started within a day, and started imports whose run ended long ago.
 */
export async function dropExpiredImports({ db, store, clock }: Pick<ImportDeps, 'db' | 'store' | 'clock'>): Promise<number> {
  const now = clock.now()
  const old = await db.imageImport.findMany({
    where: { OR: [{ started_at: null, expires_at: { lt: now } }, { started_at: { lt: new Date(now.getTime() - 30 * EXPIRES_MS) } }] },
    select: { id: true },
  })
  for (const { id } of old) await dropImport({ db, store }, id)
  return old.length
}

/** Returns what a run recorded for each file, in the form of a plan. */
export async function importResult(db: Database, runId: string): Promise<{ plan: ImportPlan; counts: Record<keyof ImportPlan, number> }> {
  const kinds = ['matched', 'ambiguous', 'unmatched', 'unreadable'] as const
  const groups = await db.runRecord.groupBy({ by: ['outcome'], where: { run_id: runId }, _count: true })
  const counts = Object.fromEntries(kinds.map((kind) => [kind, groups.find((it) => it.outcome === kind)?._count ?? 0])) as Record<
    keyof ImportPlan,
    number
  >
  const rows = async (outcome: string) => {
    const found = await db.runRecord.findMany({ where: { run_id: runId, outcome }, orderBy: { record_id: 'asc' }, take: LISTED })
    return found.map(({ record_id, changes }) => ({ name: record_id, ...(changes as Record<string, unknown>) }))
  }
  const plan = Object.fromEntries(await Promise.all(kinds.map(async (kind) => [kind, await rows(kind)]))) as unknown as ImportPlan
  return { plan, counts }
}
