import { fetchImageUrl } from '../images/fetch/fetch-url.ts'
import type { Images } from '../images/images.ts'
import type { RunHandler } from '../runs/run-handler.ts'
import { createCrmSync } from './crm/crm-sync-run.ts'
import { refetchImage } from './images/fetch-image.ts'
import { createGalleryRun } from './images/gallery-run.ts'
import { createItemSync, type ItemSyncDeps } from './items/item-sync-run.ts'
import { createWebhookSync } from './webhook/webhook-sync-run.ts'

export interface SyncHandlerDeps extends ItemSyncDeps {
  images: Pick<Images, 'runHandlers'>
  /** Calls to Zoho at the same time, in runs that fetch nothing but further images. */
  galleryConcurrency: number
}

/** Every run that brings items and images from Zoho or a file, and those on images that may have to ask Zoho again. */
export function createSyncHandlers({ images, galleryConcurrency, ...itemSync }: SyncHandlerDeps): RunHandler[] {
  const { db, clock, openZoho, ingest, itemLinks, urls } = itemSync
  return [
    createItemSync(itemSync),
    createWebhookSync(itemSync),
    createCrmSync({ db, clock, openZoho }),
    createGalleryRun({ db, clock, openZoho, ingest, itemLinks, concurrency: galleryConcurrency }),
    ...images.runHandlers({
      // A request of a repair waits for the limits without a word.
      fromZoho: refetchImage(() => openZoho(() => {})),
      fromUrl: async (url, signal) => ({ body: (await fetchImageUrl(urls, url, signal)).body, close: async () => {} }),
    }),
  ]
}
