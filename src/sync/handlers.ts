import type { Config } from '../config.ts'
import type { ConnectionContext } from '../connection/connection.ts'
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

export type SyncHandlerDeps = Omit<
  ItemSyncDeps,
  'openZoho' | 'currencyOf' | 'organizationCurrency' | 'organizationZone' | 'requestsPerDay' | 'concurrency'
> & {
  connection: Pick<ConnectionContext, 'open' | 'readOrganization' | 'knownOrganization' | 'currency'>
  images: Pick<Images, 'runHandlers'>
  zoho: Pick<Config['zoho'], 'requestsPerMinute' | 'requestsPerDay' | 'concurrency'>
}

/** Parallel images where Zoho limits nothing: as many as can be decoded, and some in transfer. */
const UNLIMITED_CONCURRENCY = 8

/**
 * Returns the handlers of every run that syncs items and images from Zoho or a file, and of the
 * image runs that may have to ask Zoho again.
 */
export function createSyncHandlers({ connection, images, zoho, ...shared }: SyncHandlerDeps): RunHandler[] {
  const { concurrency, requestsPerDay, requestsPerMinute } = zoho
  const itemSync: ItemSyncDeps = {
    ...shared,
    openZoho: connection.open,
    currencyOf: async (client, signal) => (await connection.readOrganization(client, signal))?.currency ?? null,
    organizationCurrency: (signal) => connection.currency(signal),
    organizationZone: async () => (await connection.knownOrganization())?.timeZone ?? null,
    requestsPerDay,
    concurrency: requestsPerMinute === 0 ? UNLIMITED_CONCURRENCY : concurrency,
  }
  const { db, clock, openZoho, ingest, itemLinks, urls } = itemSync
  return [
    createItemSync(itemSync),
    createWebhookSync(itemSync),
    createStockSync(itemSync),
    createCrmSync({ db, clock, openZoho }),
    createGroupSync({ db, clock, openZoho, ingest }),
    createPriceListSync({ db, clock, openZoho }),
    createGalleryRun({ db, clock, openZoho, ingest, itemLinks, concurrency }),
    ...images.runHandlers({
      // A repair waits for the rate limits without reporting it.
      fromZoho: refetchImage(() => openZoho(() => {})),
      fromUrl: async (url, signal) => ({ body: (await fetchImageUrl(urls, url, signal)).body, close: async () => {} }),
    }),
  ]
}
