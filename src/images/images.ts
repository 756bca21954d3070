import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { JobQueue } from '../queue/queue.ts'
import { createUrlFetcher, type UrlFetcherOptions } from './fetch/fetch-url.ts'
import type { BucketAccess } from './import/bucket-source.ts'
import { createImportRun } from './import/import-run.ts'
import type { ImportDeps } from './import/imports.ts'
import { createIntegrityRepair, type RepairDeps } from './integrity/repair-run.ts'
import { createHashJobs, createIntegrityScan } from './integrity/scan-run.ts'
import { createBlobWriter } from './processing/blob-batch.ts'
import type { IngestDeps } from './processing/ingest.ts'
import { createRegenerateRun } from './processing/regenerate-run.ts'
import { createVariantJobs } from './processing/variant-jobs.ts'
import { createVariantSettings } from './processing/variant-settings.ts'
import { createVariantMaker } from './processing/variants.ts'
import { createWorkerPool, type WorkerPool } from './processing/worker-pool.ts'
import { collectGarbage } from './storage/gc.ts'
import { createItemLinks } from './storage/item-links.ts'
import type { Storage } from './storage/open-storage.ts'

export interface OpenImagesDeps {
  db: Database
  clock: Clock
  log: Logger
  queue: JobQueue
  storage: Storage
  imagesDir: string
  limits: { maxUploadBytes: number; maxImportBytes: number; maxInputPixels: number; maxSidePixels: number; urlAllowlist: readonly string[] }
  /** For imports from a bucket. */
  bucketAccess: BucketAccess
  resolveImageHost?: UrlFetcherOptions['resolve'] | undefined
  /** Not closed here when it is passed in; left out, one is created and closed here. */
  workers?: WorkerPool | undefined
}

export type Images = Awaited<ReturnType<typeof openImages>>

/**
 * Opens everything that works on images, in order; disposing ends the decoder processes and the
 * connections.
 */
export async function openImages({
  db,
  clock,
  log,
  queue,
  storage,
  imagesDir,
  limits,
  bucketAccess,
  resolveImageHost,
  workers: otherDecoder,
}: OpenImagesDeps) {
  const opened = new AsyncDisposableStack()
  const { store, moving } = storage
  const swept = await store.sweep()
  if (swept > 0) log.info({ files: swept }, 'temporary files of a killed process deleted')
  if (moving) log.warn('the other storage still holds images; `zinc images migrate-storage --remove-old` moves them and empties it')
  const workers = otherDecoder ?? opened.use(createWorkerPool())
  const variantSettings = createVariantSettings(db)
  const makeVariant = createVariantMaker({ db, store, workers })
  const ingest: IngestDeps = {
    db,
    store,
    workers,
    variantSettings,
    writeBlob: createBlobWriter(db),
    limits: { maxBytes: limits.maxUploadBytes, maxPixels: limits.maxInputPixels, maxSide: limits.maxSidePixels },
  }
  const variantJobs = createVariantJobs({ db, store, workers, variantSettings })
  const hashJobs = createHashJobs({ db, store })
  const itemLinks = createItemLinks(join(imagesDir, 'item'), store)
  const imports: ImportDeps = {
    db,
    store,
    clock,
    limits: { fileBytes: limits.maxUploadBytes, totalBytes: limits.maxImportBytes },
    bucketAccess,
  }
  const urls = opened.use(createUrlFetcher({ allowlist: limits.urlAllowlist, maxBytes: limits.maxUploadBytes, resolve: resolveImageHost }))
  const closing = new AbortController()
  opened.defer(() => closing.abort())
  return {
    store,
    moving,
    workers,
    variantSettings,
    makeVariant,
    ingest,
    itemLinks,
    imageImports: imports,
    urls,
    /** Starts working on this folder's small jobs, whichever process added them. */
    openJobs: async () => {
      await queue.work(variantJobs)
      await queue.work(hashJobs)
    },
    /** Hourly maintenance. */
    tidy: () => collectGarbage({ db, store, variantSettings, clock, log }, closing.signal),
    /**
     * The runs of this folder. The callers pass in how to fetch an image from Zoho or a URL again.
     */
    runHandlers: ({ fromZoho, fromUrl }: Pick<RepairDeps, 'fromZoho' | 'fromUrl'>) => [
      createImportRun({ ...imports, ingest, itemLinks }),
      createRegenerateRun({ db, queue, jobs: variantJobs }),
      createIntegrityScan({ db, store, itemLinks, clock, queue, jobs: hashJobs }),
      createIntegrityRepair({ db, store, itemLinks, clock, ingest, fromZoho, fromUrl }),
    ],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
