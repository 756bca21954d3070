import { fetchImageUrl } from '../images/fetch/fetch-url.ts'
import type { Images } from '../images/images.ts'
import type { RunHandler } from '../runs/run-handler.ts'
import { createCrmSync } from './crm/crm-sync-run.ts'
import { createGroupSync } from './groups/group-run.ts'
import { refetchImage } from './images/fetch-image.ts'
import { createGalleryRun } from './images/gallery-run.ts'
import { createItemSync, type ItemSyncDeps } from './items/item-sync-run.ts'
import { createPriceListSync } from './price-lists/price-list-run.ts'
import { createStockSync } from './stock/stock-run.ts'
import { createWebhookSync } from './webhook/webhook-sync-run.ts'

export interface SyncHandlerDeps extends ItemSyncDeps {
  images: Pick<Images, 'runHandlers'>
  /** Concurrent calls to Zoho, in runs that fetch only further images. */
  galleryConcurrency: number
}

/**
 * Returns the handlers of every run that syncs items and images from Zoho or a file, and of the
 * image runs that may have to ask Zoho again.
 */
export function createSyncHandlers({ images, galleryConcurrency, ...itemSync }: SyncHandlerDeps): RunHandler[] {
  const { db, clock, openZoho, ingest, itemLinks, urls } = itemSync
  return [
    createItemSync(itemSync),
    createWebhookSync(itemSync),
    createStockSync(itemSync),
    createCrmSync({ db, clock, openZoho }),
    createGroupSync({ db, clock, openZoho, ingest }),
    createPriceListSync({ db, clock, openZoho }),
    createGalleryRun({ db, clock, openZoho, ingest, itemLinks, concurrency: galleryConcurrency }),
    ...images.runHandlers({
      // A repair waits for the rate limits without reporting it.
      fromZoho: refetchImage(() => openZoho(() => {})),
      fromUrl: async (url, signal) => ({ body: (await fetchImageUrl(urls, url, signal)).body, close: async () => {} }),
    }),
  ]
}
