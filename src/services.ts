import { join } from 'node:path'
import type { ClientOptions } from 'google-gax'
import type { Logger } from 'pino'
import { Agent } from 'undici'
import { createAccessTokens } from './auth/access-tokens.ts'
import { createAuthenticator } from './auth/authenticate.ts'
import type { FirstLogin } from './auth/first-login.ts'
import { createLoginRateLimiter } from './auth/login-rate-limit.ts'
import { createPasswords, type PasswordCost } from './auth/passwords.ts'
import { createSessions } from './auth/sessions.ts'
import { createUsers, ensureAdmin } from './auth/users.ts'
import { recordCoverage } from './catalog/coverage.ts'
import type { Config } from './config.ts'
import { deleteExpired } from './connection/call-log.ts'
import { openConnection } from './connection/connection.ts'
import type { DataCenterEndpoints } from './connection/create-client.ts'
import { ENCRYPTED_COLUMNS } from './connection/token-store.ts'
import { ensureAppRole } from './database/app-role.ts'
import { createDedicatedConnection, openDatabase } from './database/client.ts'
import { openDatabaseClock } from './database/clock.ts'
import { openEmbeddedPostgres } from './database/embedded/embedded-postgres.ts'
import { checkInstance, knownStorageId } from './database/instance.ts'
import { migrate } from './database/migrate.ts'
import { fetchImageUrl, type UrlFetcherOptions } from './images/fetch/fetch-url.ts'
import { openImages } from './images/images.ts'
import type { WorkerPool } from './images/processing/worker-pool.ts'
import { createImageUrls } from './images/serving/signed-url.ts'
import { createFileCache } from './images/storage/file-cache.ts'
import { openStorage } from './images/storage/open-storage.ts'
import type { Clock } from './lib/clock.ts'
import { openDataDir } from './lib/data-dir.ts'
import { openNotifier } from './notifications/notifier.ts'
import { openFeed } from './photo-sync/change-feed.ts'
import { createEdgeTokens } from './photo-sync/edge-tokens.ts'
import { createPhotoList } from './photo-sync/list.ts'
import { createPhotoDownloads } from './photo-sync/photo-downloads.ts'
import { pruneTombstones } from './photo-sync/prune-tombstones.ts'
import { publishStoreChange } from './photo-sync/publish-store-change.ts'
import { createStores } from './photo-sync/stores.ts'
import { PULL } from './pulls/checkpoint.ts'
import { pullPaths } from './pulls/files/paths.ts'
import { createPulls, pullHandlers } from './pulls/pulls.ts'
import { startMaintenance } from './runs/maintenance.ts'
import { createRuns } from './runs/runs.ts'
import { createScheduler } from './runs/scheduler.ts'
import { createEncryption } from './settings/encryption.ts'
import { openKeyRing } from './settings/key-ring.ts'
import { usesOldKey } from './settings/reencrypt.ts'
import { CRM_SYNC, createCrmSync } from './sync/crm/crm-sync-run.ts'
import { refetchImage } from './sync/images/fetch-image.ts'
import { createGalleryRun } from './sync/images/gallery-run.ts'
import { createItemSync, ITEM_SYNC, type ItemSyncDeps } from './sync/items/item-sync-run.ts'
import { createModules } from './sync/modules/modules.ts'
import { createWebhookQueue } from './sync/webhook/queue.ts'
import { createWebhookSync } from './sync/webhook/webhook-sync-run.ts'
import type { TimeLimits } from './zoho/client.ts'

export type Services = Awaited<ReturnType<typeof openServices>>

/** What a door may do differently from the usual. */
export interface Overrides {
  /** Aborted: the opening ends at its next step with the signal's reason, and closes what it opened. */
  signal?: AbortSignal
  /** Called as soon as the first admin is made, before anything can fail: a password that was made up is known to nobody else. */
  onFirstLogin?(login: FirstLogin): void
  /** Instead of the database's. */
  clock?: Clock
  /** False in tests only: see openEmbeddedPostgres. */
  durable?: boolean
  /** Other hosts than Zoho's and Google's, in tests of what must reach several of them. */
  dataCenters?: DataCenterEndpoints
  gcpClient?: ClientOptions
  /** Answers for the hosts of pictures, in tests of names that lie about where they are. */
  resolveImageHost?: NonNullable<UrlFetcherOptions['resolve']>
  /** Shorter ones, in tests of a Zoho that is slow. */
  timeLimits?: TimeLimits
  /** A cheaper one, in tests that log in often and are about something else. */
  passwordCost?: PasswordCost | undefined
  /** One for several servers, in tests, so that each does not start children of its own; its owner closes it. */
  workers?: WorkerPool | undefined
}

/** Opens every long-lived thing once, in order; disposing closes them in reverse. What is open already is closed when a later step fails. */
export async function openServices(
  config: Config,
  log: Logger,
  {
    clock: otherClock,
    durable = true,
    dataCenters,
    gcpClient,
    timeLimits,
    resolveImageHost,
    passwordCost,
    workers: otherDecoder,
    signal,
    onFirstLogin,
  }: Overrides = {},
) {
  const opened = new AsyncDisposableStack()
  try {
    await openDataDir(config.dataDir)
    const ownerUrl = config.databaseUrl ?? opened.use(await openEmbeddedPostgres({ dataDir: config.dataDir, log, durable })).url
    signal?.throwIfAborted()
    await migrate(ownerUrl, { log })
    signal?.throwIfAborted()
    // Somebody else's server keeps the rights that its owner gave; ours is worked on by a role that can change no history.
    const databaseUrl = config.databaseUrl ?? (await ensureAppRole(ownerUrl))
    const db = opened.adopt(openDatabase(databaseUrl), (it) => it.$disconnect())
    const clock = otherClock ?? opened.use(await openDatabaseClock(db))

    const settingsDir = join(config.dataDir, 'settings')
    const jwtRing = await openKeyRing(join(settingsDir, 'jwt.key'), config.keys.jwt)
    const jwtKeys = jwtRing.keys()
    const credentialsRing = await openKeyRing(join(settingsDir, 'credentials.key'), config.keys.credentials)
    const encryption = createEncryption(credentialsRing.keys)
    const imagesDir = join(config.dataDir, 'images')
    const storage = opened.use(await openStorage(config.storage, imagesDir, await knownStorageId(db)))
    const checkKeys = async () =>
      checkInstance(db, {
        jwtKeys,
        credentialsKeys: credentialsRing.keys(),
        storageId: storage.id,
        isSettled: async () => !(await usesOldKey(db, encryption, ENCRYPTED_COLUMNS)),
      })
    await checkKeys()
    const passwords = createPasswords(passwordCost)
    const firstAdmin = await ensureAdmin({ db, passwords }, config.admin)
    if (firstAdmin.made) onFirstLogin?.({ username: config.admin.username, password: firstAdmin.password })
    const tokens = createAccessTokens(jwtKeys)
    const authenticator = createAuthenticator({ db, tokens })
    const sessions = createSessions({ db, tokens, authenticator, rateLimiter: createLoginRateLimiter({ db, clock }), passwords, clock })
    const users = createUsers({ db, authenticator, passwords, clock })
    const edgeTokens = createEdgeTokens({ db, keys: jwtKeys, clock })
    const stores = createStores({ db, clock, beforeChange: publishStoreChange, forgetTokens: edgeTokens.invalidate })

    const feed = await openFeed({ db, reader: opened.use(createDedicatedConnection(databaseUrl)) })
    const images = opened.use(
      await openImages({ db, clock, log, storage, imagesDir, limits: config.images, resolve: resolveImageHost, workers: otherDecoder }),
    )
    const { store, variantSettings, workers, ingest, itemLinks, urls } = images
    if (config.role !== 'api') {
      const chores = {
        'old logins': () => sessions.sweep(),
        coverage: () => recordCoverage(db, { at: clock.now() }),
        pictures: images.tidy,
        'old calls, notices and consents': () => deleteExpired(db, clock.now()),
        'old deletions': async () => {
          await pruneTombstones(db, { olderThanDays: config.edges.tombstoneDays })
        },
      }
      opened.use(startMaintenance(chores, { log }))
    }
    let address = config.http.publicUrl ?? `http://127.0.0.1:${config.http.port}`
    const imageUrls = createImageUrls({ keys: jwtKeys, publicUrl: () => address })
    const photoFiles = createPhotoDownloads({ db, store, variantSettings, workers })
    const photoList = createPhotoList({ db, clock, imageUrl: imageUrls.build, publicUrl: () => address, files: photoFiles })

    const dispatcher = opened.adopt(new Agent({ connections: 16, connect: { timeout: 5_000 } }), (it) => it.close())
    const works = config.role !== 'api'
    const scheduler = createScheduler({ db, clock, log, works, start: (due) => modules.startDue(due) })
    const connect = opened.use(
      await openConnection({
        config,
        db,
        encryption,
        clock,
        log,
        dispatcher,
        redirectUri: () => `${address}/api/settings/integrations/zoho/oauth/callback`,
        onZone: (tx, zone) => scheduler.rezone(tx, zone),
        dataCenters,
        gcpClient,
        timeLimits,
      }),
    )
    const pullPlaces = pullPaths(config.dataDir, config.pull.jsonBaseDir)
    const imports = { importsDir: join(config.dataDir, 'imports'), maxImportBytes: config.images.maxImportBytes }
    const itemSync = {
      db,
      clock,
      itemLinks,
      openZoho: connect.open,
      currencyOf: async (zoho, signal) => (await connect.readOrganization(zoho, signal))?.currency ?? null,
      ingest,
      urls,
      requestsPerDay: config.zoho.requestsPerDay,
      ...imports,
      // Without Zoho's limits the decoder sets the pace: as many as it can chew on, and some on the way.
      concurrency: config.zoho.requestsPerMinute === 0 ? 8 : config.zoho.concurrency,
    } satisfies ItemSyncDeps
    const runs = opened.adopt(
      createRuns({
        db,
        databaseUrl,
        clock,
        log,
        works,
        handlers: [
          createItemSync(itemSync),
          createWebhookSync(itemSync),
          createCrmSync({ db, clock, openZoho: connect.open }),
          ...pullHandlers({ db, clock, log, paths: pullPlaces, openZoho: connect.open, concurrency: config.zoho.concurrency }),
          createGalleryRun({ db, clock, openZoho: connect.open, ingest, itemLinks, concurrency: config.zoho.concurrency }),
          ...images.runHandlers({
            fromZoho: refetchImage(connect.open),
            fromUrl: async (url, signal) => ({
              body: (await fetchImageUrl(urls, url, signal)).body,
              close: async () => {},
            }),
          }),
        ],
      }),
      (it) => it.close(),
    )
    const modules = createModules({
      db,
      runs,
      scheduler,
      isEnabled: async () => (await connect.settings.effective()).enabled,
      shopZone: async () => (await connect.knownOrganization())?.timeZone ?? null,
    })
    opened.adopt(scheduler, (it) => it.close())
    const webhookQueue = opened.adopt(createWebhookQueue({ db, clock, log, runs, works }), (it) => it.close())
    const notifier = opened.use(
      openNotifier({
        db,
        databaseUrl,
        clock,
        log,
        dispatcher,
        works,
        settings: connect.notifications,
        syncKinds: [ITEM_SYNC, CRM_SYNC, PULL],
      }),
    )
    return {
      db,
      databaseUrl,
      log,
      clock,
      authenticator,
      sessions,
      users,
      stores,
      edgeTokens,
      feed,
      photoList,
      photoFiles,
      fileCache: createFileCache(store),
      connect,
      /** For `zinc keys rotate`. */
      rotation: { encryption, columns: ENCRYPTED_COLUMNS, jwtRing, credentialsRing, checkKeys },
      runs,
      modules,
      pulls: createPulls({
        db,
        clock,
        paths: pullPlaces,
        runs,
        openZoho: connect.open,
        organization: async () => (await connect.settings.effective()).values.organization_id,
        requestsPerMinute: config.zoho.requestsPerMinute,
        requestsPerDay: config.zoho.requestsPerDay,
      }),
      scheduler,
      notifier,
      webhookQueue,
      itemSync: { ...imports, requestsPerMinute: config.zoho.requestsPerMinute, requestsPerDay: config.zoho.requestsPerDay },
      ...images,
      sendImages: { db, store, openZoho: async () => connect.open() },
      imageUrls,
      /** Where pictures are said to be, once the port is known. */
      setAddress: (url: string) => {
        address = config.http.publicUrl ?? url
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}
