import { join } from 'node:path'
import type { Logger } from 'pino'
import { Agent } from 'undici'
import { openAuth } from './auth/auth.ts'
import { createBackups } from './backup/backups.ts'
import { refuseUnfinishedRestore } from './backup/restore-marker.ts'
import { backupFolders } from './backup/sources.ts'
import { recordCoverage } from './catalog/coverage.ts'
import { openProductFeed, pruneProductFeed } from './catalog/product-feed.ts'
import { createProductReader } from './catalog/product-reader.ts'
import type { Config } from './config.ts'
import { deleteExpired } from './connection/call-log.ts'
import { openConnection } from './connection/connection.ts'
import { createStockShare } from './connection/quota.ts'
import { knownStorageId } from './database/instance.ts'
import { openConfiguredDatabase } from './database/open.ts'
import { openImages } from './images/images.ts'
import { createImageUrls } from './images/serving/signed-url.ts'
import { createFileCache } from './images/storage/file-cache.ts'
import { openStorage } from './images/storage/open-storage.ts'
import { openDataDir } from './lib/data-dir.ts'
import { createPublicAddress } from './lib/public-address.ts'
import { createWebhookAgents, openNotifier } from './notifications/notifier.ts'
import type { Overrides } from './overrides.ts'
import { openPhotoSync } from './photo-sync/photo-sync.ts'
import { pruneTombstones } from './photo-sync/prune-tombstones.ts'
import { PULL } from './pulls/checkpoint.ts'
import { pullPaths } from './pulls/files/paths.ts'
import { createPulls, pullHandlers } from './pulls/pulls.ts'
import { createJobQueue } from './queue/queue.ts'
import { startMaintenance } from './runs/maintenance.ts'
import { createRuns } from './runs/runs.ts'
import { createScheduler } from './runs/scheduler.ts'
import { ENCRYPTED_COLUMNS } from './settings/encrypted-columns.ts'
import { openKeyRings } from './settings/open-key-rings.ts'
import { CRM_SYNC } from './sync/crm/crm-sync-run.ts'
import { createSyncHandlers } from './sync/handlers.ts'
import { ITEM_SYNC } from './sync/items/item-sync-run.ts'
import { createModules } from './sync/modules/modules.ts'
import { createWebhookQueue } from './sync/webhook/queue.ts'
import { refuseBlockedUrl } from './webhooks/send.ts'
import { openWebhooks } from './webhooks/webhooks.ts'

export type Services = Awaited<ReturnType<typeof openServices>>

/**
 * Opens every long-lived service once, in order; disposing closes them in reverse. When a later
 * step fails, the open ones are closed.
 */
export async function openServices(config: Config, log: Logger, overrides: Overrides = {}) {
  const opened = new AsyncDisposableStack()
  const works = config.role !== 'api'
  try {
    await openDataDir(config.dataDir)
    await refuseUnfinishedRestore(config.dataDir)
    const { db, databaseUrl, ownerUrl, clock } = opened.use(await openConfiguredDatabase({ config, log, ...overrides }))
    const queue = createJobQueue({ db, log, works })
    const base = { db, databaseUrl, clock, log, queue, works }
    const imagesDir = join(config.dataDir, 'images')
    const storage = opened.use(await openStorage(config.storage, imagesDir, await knownStorageId(db)))
    const settingsDir = join(config.dataDir, 'settings')
    const keyDeps = { db, settingsDir, keys: config.keys, columns: ENCRYPTED_COLUMNS, storageId: storage.id }
    const { jwtKeys, encryption, rotation } = await openKeyRings(keyDeps)
    const { admin, sessionDays, requireSecondFactor } = config
    const accounts = await openAuth({ db, clock, jwtKeys, encryption, admin, sessionDays, requireSecondFactor, ...overrides })
    const images = opened.use(
      await openImages({ ...overrides, ...base, storage, imagesDir, limits: config.images, bucketAccess: config.storage.s3 }),
    )
    const address = createPublicAddress(config.http)
    const imageUrls = createImageUrls({ keys: jwtKeys, publicUrl: address.current, publicImages: config.http.publicImages })
    const photoSync = opened.use(await openPhotoSync({ ...images, ...base, keys: jwtKeys, imageUrls, publicUrl: address.current }))
    const productFeed = opened.use(await openProductFeed(base))
    const { webhooks, webhookDelivery } = opened.use(
      openWebhooks({ ...base, encryption, settings: config.webhooks, resolve: overrides.resolveImageHost, publicUrl: address.current }),
    )
    if (works) {
      const tasks = {
        'old logins': () => accounts.sessions.sweep(),
        coverage: () => recordCoverage(db, { at: clock.now() }),
        images: images.tidy,
        'old calls, webhook events and consents': () => deleteExpired(db, clock.now()),
        'old deliveries of webhooks': webhookDelivery.prune,
        'old deletions': () => pruneTombstones(db, { olderThanDays: config.edges.tombstoneDays }),
        'old changes of products': () => pruneProductFeed(db, { olderThanDays: config.edges.tombstoneDays }),
      }
      opened.use(startMaintenance(tasks, base))
    }

    const dispatcher = opened.adopt(new Agent({ connections: 16, connect: { timeout: 5_000 } }), (it) => it.close())
    const scheduler = createScheduler(base)
    const notificationReceivers = opened.use(createWebhookAgents(config, overrides.resolveImageHost))
    const connect = opened.use(
      await openConnection({
        refuseWebhookUrl: (url) => refuseBlockedUrl(notificationReceivers, url),
        ...overrides,
        ...base,
        config,
        encryption,
        dispatcher,
        redirectUri: () => `${address.current()}/api/settings/integrations/zoho/oauth/callback`,
        onZone: (tx, zone) => scheduler.rezone(tx, zone),
      }),
    )
    const paths = pullPaths(config.dataDir, config.pull.jsonBaseDir)
    const { requestsPerMinute, requestsPerDay } = config.zoho
    const imports = { importsDir: join(config.dataDir, 'imports'), maxImportBytes: config.images.maxImportBytes }
    // Closed after the runs that add jobs, and before the services that jobs use.
    opened.use(queue)
    const organization = async () => (await connect.settings.effective()).values.organization_id
    const { percent: stockPercent, isWithinPace } = createStockShare({ db, clock, organization, zoho: config.zoho })
    const sync = createSyncHandlers({ ...base, ...images, ...imports, connection: connect, images, zoho: config.zoho, stockPercent })
    const pull = pullHandlers({ ...base, paths, openZoho: connect.open, concurrency: config.zoho.concurrency })
    const runs = opened.adopt(createRuns({ ...base, handlers: [...sync, ...pull] }), (it) => it.close())
    const modules = createModules({
      db,
      runs,
      scheduler,
      isEnabled: async () => (await connect.settings.effective()).enabled,
      shopZone: async () => (await connect.knownOrganization())?.timeZone ?? null,
      isStockWithinPace: isWithinPace,
    })
    const keys = () => ({ jwt: rotation.jwtRing.keys(), credentials: rotation.credentialsRing.keys() })
    const backups = createBackups({
      ...base,
      ownerUrl,
      scheduler,
      zone: modules.zone,
      bucketAccess: config.backup.s3,
      dataDir: config.dataDir,
      source: { databaseUrl, store: images.store, folders: backupFolders(config.dataDir, paths), keys },
    })
    opened.adopt(scheduler, (it) => it.close())
    const webhookQueue = opened.adopt(createWebhookQueue({ ...base, runs }), (it) => it.close())
    // Looks for no more work before the queue is closed.
    opened.use(webhookDelivery)
    const notifier = opened.use(
      openNotifier({
        ...base,
        outlets: { webhooks: notificationReceivers },
        settings: connect.notifications,
        syncKinds: [ITEM_SYNC, CRM_SYNC, PULL],
        backupPlan: backups.plan,
      }),
    )
    return {
      ...base,
      ...accounts,
      ...photoSync,
      ...images,
      productFeed,
      webhooks,
      webhookDelivery,
      productReader: createProductReader({ db, clock, productFeed, imageUrl: imageUrls.build }),
      fileCache: createFileCache(images.store),
      connect,
      rotation,
      runs,
      modules,
      pulls: createPulls({ ...base, paths, runs, openZoho: connect.open, organization, requestsPerMinute, requestsPerDay }),
      scheduler,
      backups,
      notifier,
      webhookQueue,
      itemSync: { ...imports, requestsPerMinute, requestsPerDay, stockPercent },
      sendImages: { db, store: images.store, openZoho: async () => connect.open() },
      imageUrls,
      address,
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}
