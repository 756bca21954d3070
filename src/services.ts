import { join } from 'node:path'
import type { Logger } from 'pino'
import { Agent } from 'undici'
import { openAccounts } from './auth/accounts.ts'
import { createBackups } from './backup/backups.ts'
import { refuseUnfinishedRestore } from './backup/restore-marker.ts'
import { backupFolders } from './backup/sources.ts'
import { recordCoverage } from './catalog/coverage.ts'
import { openProductFeed, pruneProductFeed } from './catalog/product-feed.ts'
import { createProductRecords } from './catalog/product-records.ts'
import type { Config } from './config.ts'
import { deleteExpired } from './connection/call-log.ts'
import { openConnection } from './connection/connection.ts'
import { isWithinPace, readStockPercent } from './connection/quota.ts'
import { knownStorageId } from './database/instance.ts'
import { openConfiguredDatabase } from './database/open.ts'
import { openImages } from './images/images.ts'
import { createImageUrls } from './images/serving/signed-url.ts'
import { createFileCache } from './images/storage/file-cache.ts'
import { openStorage } from './images/storage/open-storage.ts'
import { openDataDir } from './lib/data-dir.ts'
import { createPublicAddress } from './lib/public-address.ts'
import { createGuardedAgents } from './lib/ssrf-guard.ts'
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
import { openKeys } from './settings/keys.ts'
import { CRM_SYNC } from './sync/crm/crm-sync-run.ts'
import { createSyncHandlers } from './sync/handlers.ts'
import { ITEM_SYNC } from './sync/items/item-sync-run.ts'
import { createModules } from './sync/modules/modules.ts'
import { createWebhookQueue } from './sync/webhook/queue.ts'
import { createWebhookDelivery } from './webhooks/delivery.ts'
import { createWebhooks } from './webhooks/endpoints.ts'
import { refuseBlockedUrl, webhookUrlBlocked } from './webhooks/send.ts'

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

    const imagesDir = join(config.dataDir, 'images')
    const storage = opened.use(await openStorage(config.storage, imagesDir, await knownStorageId(db)))
    const { jwtKeys, encryption, rotation } = await openKeys({
      db,
      settingsDir: join(config.dataDir, 'settings'),
      keys: config.keys,
      columns: ENCRYPTED_COLUMNS,
      storageId: storage.id,
    })
    const { admin, sessionDays, requireSecondFactor } = config
    const accounts = await openAccounts({ db, clock, jwtKeys, encryption, admin, sessionDays, requireSecondFactor, ...overrides })
    const images = opened.use(
      await openImages({ ...overrides, db, clock, log, queue, storage, imagesDir, limits: config.images, bucketAccess: config.storage.s3 }),
    )
    const address = createPublicAddress(config.http)
    const imageUrls = createImageUrls({ keys: jwtKeys, publicUrl: address.current, publicImages: config.http.publicImages })
    const photoSync = opened.use(
      await openPhotoSync({ ...images, db, databaseUrl, clock, keys: jwtKeys, imageUrls, publicUrl: address.current }),
    )
    const productFeed = opened.use(await openProductFeed({ db, databaseUrl, log }))
    const receivers = opened.use(
      createGuardedAgents({ allowlist: config.webhooks.urlAllowlist, resolve: overrides.resolveImageHost, blocked: webhookUrlBlocked }),
    )
    const webhookDelivery = createWebhookDelivery({
      db,
      clock,
      log,
      queue,
      encryption,
      agents: receivers,
      publicUrl: address.current,
      retrySeconds: config.webhooks.retrySeconds,
      works,
    })
    if (works) {
      const tasks = {
        'old logins': () => accounts.sessions.sweep(),
        coverage: () => recordCoverage(db, { at: clock.now() }),
        images: images.tidy,
        'old calls, webhook events and consents': () => deleteExpired(db, clock.now()),
        'old deliveries of webhooks': webhookDelivery.prune,
        'old deletions': async () => {
          await pruneTombstones(db, { olderThanDays: config.edges.tombstoneDays })
          await pruneProductFeed(db, { olderThanDays: config.edges.tombstoneDays })
        },
      }
      opened.use(startMaintenance(tasks, { log }))
    }

    const dispatcher = opened.adopt(new Agent({ connections: 16, connect: { timeout: 5_000 } }), (it) => it.close())
    const scheduler = createScheduler({ db, clock, log, works })
    const notificationReceivers = opened.use(
      createWebhookAgents({
        ...config.notify,
        allowlist: [...config.images.urlAllowlist, ...config.webhooks.urlAllowlist],
        resolve: overrides.resolveImageHost,
      }),
    )
    const connect = opened.use(
      await openConnection({
        refuseWebhookUrl: (url) => refuseBlockedUrl(notificationReceivers, url),
        ...overrides,
        config,
        db,
        encryption,
        clock,
        log,
        queue,
        dispatcher,
        redirectUri: () => `${address.current()}/api/settings/integrations/zoho/oauth/callback`,
        onZone: (tx, zone) => scheduler.rezone(tx, zone),
      }),
    )
    const paths = pullPaths(config.dataDir, config.pull.jsonBaseDir)
    const { requestsPerMinute, requestsPerDay, concurrency } = config.zoho
    const organizationZone = async () => (await connect.knownOrganization())?.timeZone ?? null
    const imports = { importsDir: join(config.dataDir, 'imports'), maxImportBytes: config.images.maxImportBytes }
    // Closed after the runs that add jobs, and before the services that jobs use.
    opened.use(queue)
    const organization = async () => (await connect.settings.effective()).values.organization_id
    const stockPercent = async () => readStockPercent(db, await organization(), config.zoho)
    const runs = opened.adopt(
      createRuns({
        db,
        databaseUrl,
        clock,
        log,
        works,
        handlers: [
          ...createSyncHandlers({
            ...images,
            ...imports,
            db,
            clock,
            openZoho: connect.open,
            currencyOf: async (zoho, signal) => (await connect.readOrganization(zoho, signal))?.currency ?? null,
            organizationCurrency: (signal) => connect.currency(signal),
            organizationZone,
            images,
            requestsPerDay,
            stockPercent,
            // Without Zoho's limits the decoder is the bottleneck: as many as it can decode, and
            // some in transfer.
            concurrency: requestsPerMinute === 0 ? 8 : concurrency,
            galleryConcurrency: concurrency,
          }),
          ...pullHandlers({ db, clock, log, paths, openZoho: connect.open, concurrency }),
        ],
      }),
      (it) => it.close(),
    )
    const modules = createModules({
      db,
      runs,
      scheduler,
      isEnabled: async () => (await connect.settings.effective()).enabled,
      shopZone: organizationZone,
      isStockWithinPace: async () => {
        const limits = { perMinute: requestsPerMinute, perDay: requestsPerDay, stockPercent: config.zoho.stockPercent }
        return isWithinPace({ db, clock, limits }, { organization: (await organization()) ?? 'none', purpose: 'stock' })
      },
    })
    const backups = createBackups({
      db,
      ownerUrl,
      clock,
      log,
      queue,
      scheduler,
      zone: modules.zone,
      bucketAccess: config.backup.s3,
      workDir: join(config.dataDir, 'tmp', 'backup'),
      ownFolders: ['images', 'postgres', 'tmp'].map((name) => join(config.dataDir, name)),
      source: {
        databaseUrl,
        store: images.store,
        folders: backupFolders(config.dataDir, paths),
        keys: () => ({ jwt: rotation.jwtRing.keys(), credentials: rotation.credentialsRing.keys() }),
      },
    })
    opened.adopt(scheduler, (it) => it.close())
    const webhookQueue = opened.adopt(createWebhookQueue({ db, clock, log, runs, works }), (it) => it.close())
    // Looks for no more work before the queue is closed.
    opened.use(webhookDelivery)
    const notifier = opened.use(
      openNotifier({
        db,
        clock,
        log,
        queue,
        outlets: { webhooks: notificationReceivers },
        works,
        settings: connect.notifications,
        syncKinds: [ITEM_SYNC, CRM_SYNC, PULL],
        backupPlan: backups.plan,
      }),
    )
    return {
      db,
      databaseUrl,
      log,
      clock,
      ...accounts,
      ...photoSync,
      productFeed,
      webhooks: createWebhooks({ db, clock, encryption, agents: receivers }),
      webhookDelivery,
      productRecords: createProductRecords({ db, clock, productFeed, imageUrl: imageUrls.build }),
      fileCache: createFileCache(images.store),
      connect,
      rotation,
      queue,
      runs,
      modules,
      pulls: createPulls({
        db,
        clock,
        paths,
        runs,
        openZoho: connect.open,
        organization,
        requestsPerMinute,
        requestsPerDay,
      }),
      scheduler,
      backups,
      notifier,
      webhookQueue,
      itemSync: { ...imports, requestsPerMinute, requestsPerDay, stockPercent },
      ...images,
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
