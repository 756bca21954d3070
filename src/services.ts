import { join } from 'node:path'
import type { ClientOptions } from 'google-gax'
import type { Logger } from 'pino'
import { Agent } from 'undici'
import { createAccessTokens } from './auth/access-tokens.ts'
import { createIdentification } from './auth/authenticate.ts'
import type { FirstLogin } from './auth/first-login.ts'
import { createLoginThrottle } from './auth/login-rate-limit.ts'
import { createPasswords, type PasswordCost } from './auth/passwords.ts'
import { createSessions } from './auth/sessions.ts'
import { createUsers, ensureAdmin } from './auth/users.ts'
import { recordCoverage } from './catalog/coverage.ts'
import type { Config } from './config.ts'
import { openConnect } from './connection/connection.ts'
import type { Regions } from './connection/create-client.ts'
import { forgetOld } from './connection/delete-expired.ts'
import { openAppRole } from './database/app-role.ts'
import { openDatabase, openReader } from './database/client.ts'
import { openDatabaseClock } from './database/clock.ts'
import { openEmbeddedPostgres } from './database/embedded/embedded-postgres.ts'
import { checkInstance, knownStorageId } from './database/instance.ts'
import { migrate } from './database/migrate.ts'
import { SEALED } from './encrypted.ts'
import { fetchPictureUrl, type UrlFetcherOptions } from './images/fetch/fetch-url.ts'
import { openPictures } from './images/images.ts'
import type { Decoder } from './images/processing/worker-pool.ts'
import { createImageUrls } from './images/serving/signed-url.ts'
import { createHotFiles } from './images/storage/file-cache.ts'
import { openStorage } from './images/storage/open-storage.ts'
import type { Clock } from './lib/clock.ts'
import { openDataFolder } from './lib/data-dir.ts'
import { openNotify } from './notifications/notifier.ts'
import { openFeed } from './photo-sync/change-feed.ts'
import { createEdgeTokens } from './photo-sync/edge-tokens.ts'
import { createPhotoList } from './photo-sync/list.ts'
import { createPhotoFiles } from './photo-sync/photo-downloads.ts'
import { pruneFeed } from './photo-sync/prune-tombstones.ts'
import { announceStoreChange } from './photo-sync/publish-store-change.ts'
import { createStores } from './photo-sync/stores.ts'
import { PULL } from './pulls/checkpoint.ts'
import { placesOf } from './pulls/files/paths.ts'
import { createPulls, pullHandlers } from './pulls/pulls.ts'
import { keepHouse } from './runs/maintenance.ts'
import { createRuns } from './runs/runs.ts'
import { createSchedules } from './runs/scheduler.ts'
import { createSecrets } from './settings/encryption.ts'
import { openKeyRing } from './settings/key-ring.ts'
import { hasOlder } from './settings/reencrypt.ts'
import { CRM_SYNC, createCrmSync } from './sync/crm/crm-sync-run.ts'
import { createGalleryRun } from './sync/images/gallery-run.ts'
import { refetchFromZoho } from './sync/images/refetch-image.ts'
import { createItemSync, ITEM_SYNC, type ItemSyncDeps } from './sync/items/item-sync-run.ts'
import { createModules } from './sync/modules/modules.ts'
import { createNoticeInbox } from './sync/webhook/queue.ts'
import { createNoticeSync } from './sync/webhook/webhook-sync-run.ts'
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
  regions?: Regions
  gcpClient?: ClientOptions
  /** Answers for the hosts of pictures, in tests of names that lie about where they are. */
  resolvePictureHost?: NonNullable<UrlFetcherOptions['resolve']>
  /** Shorter ones, in tests of a Zoho that is slow. */
  timeLimits?: TimeLimits
  /** A cheaper one, in tests that log in often and are about something else. */
  passwordCost?: PasswordCost | undefined
  /** One for several servers, in tests, so that each does not start children of its own; its owner closes it. */
  decoder?: Decoder | undefined
}

/** Opens every long-lived thing once, in order; disposing closes them in reverse. What is open already is closed when a later step fails. */
export async function openServices(
  config: Config,
  log: Logger,
  {
    clock: otherClock,
    durable = true,
    regions,
    gcpClient,
    timeLimits,
    resolvePictureHost,
    passwordCost,
    decoder: otherDecoder,
    signal,
    onFirstLogin,
  }: Overrides = {},
) {
  const opened = new AsyncDisposableStack()
  try {
    await openDataFolder(config.dataDir)
    const ownerUrl = config.databaseUrl ?? opened.use(await openEmbeddedPostgres({ dataDir: config.dataDir, log, durable })).url
    signal?.throwIfAborted()
    await migrate(ownerUrl, { log })
    signal?.throwIfAborted()
    // Somebody else's server keeps the rights that its owner gave; ours is worked on by a role that can change no history.
    const databaseUrl = config.databaseUrl ?? (await openAppRole(ownerUrl))
    const db = opened.adopt(openDatabase(databaseUrl), (it) => it.$disconnect())
    const clock = otherClock ?? opened.use(await openDatabaseClock(db))

    const settingsDir = join(config.dataDir, 'settings')
    const jwtRing = await openKeyRing(join(settingsDir, 'jwt.key'), config.keys.jwt)
    const jwtKeys = jwtRing.keys()
    const credentialsRing = await openKeyRing(join(settingsDir, 'credentials.key'), config.keys.credentials)
    const secrets = createSecrets(credentialsRing.keys)
    const imagesDir = join(config.dataDir, 'images')
    const storage = opened.use(await openStorage(config.storage, imagesDir, await knownStorageId(db)))
    const checkKeys = async () =>
      checkInstance(db, {
        jwtKeys,
        credentialsKeys: credentialsRing.keys(),
        storageId: storage.id,
        isSettled: async () => !(await hasOlder(db, secrets, SEALED)),
      })
    await checkKeys()
    const passwords = createPasswords(passwordCost)
    const firstAdmin = await ensureAdmin({ db, passwords }, config.admin)
    if (firstAdmin.made) onFirstLogin?.({ username: config.admin.username, password: firstAdmin.password })
    const tokens = createAccessTokens(jwtKeys)
    const identification = createIdentification({ db, tokens })
    const sessions = createSessions({ db, tokens, identification, throttle: createLoginThrottle({ db, clock }), passwords, clock })
    const users = createUsers({ db, identification, passwords, clock })
    const edgeTokens = createEdgeTokens({ db, keys: jwtKeys, clock })
    const stores = createStores({ db, clock, beforeChange: announceStoreChange, forgetTokens: edgeTokens.forget })

    const feed = await openFeed({ db, reader: opened.use(openReader(databaseUrl)) })
    const pictures = opened.use(
      await openPictures({ db, clock, log, storage, imagesDir, limits: config.images, resolve: resolvePictureHost, decoder: otherDecoder }),
    )
    const { store, recipes, decoder, ingest, view, urls } = pictures
    if (config.role !== 'api') {
      const chores = {
        'old logins': () => sessions.sweep(),
        coverage: () => recordCoverage(db, { at: clock.now() }),
        pictures: pictures.tidy,
        'old calls, notices and consents': () => forgetOld(db, clock.now()),
        'old deletions': async () => {
          await pruneFeed(db, { olderThanDays: config.edges.tombstoneDays })
        },
      }
      opened.use(keepHouse(chores, { log }))
    }
    let address = config.http.publicUrl ?? `http://127.0.0.1:${config.http.port}`
    const imageUrls = createImageUrls({ keys: jwtKeys, publicUrl: () => address })
    const photoFiles = createPhotoFiles({ db, store, recipes, decoder })
    const photoList = createPhotoList({ db, clock, imageUrl: imageUrls.build, publicUrl: () => address, files: photoFiles })

    const dispatcher = opened.adopt(new Agent({ connections: 16, connect: { timeout: 5_000 } }), (it) => it.close())
    const works = config.role !== 'api'
    const schedules = createSchedules({ db, clock, log, works, start: (due) => modules.startDue(due) })
    const connect = opened.use(
      await openConnect({
        config,
        db,
        secrets,
        clock,
        log,
        dispatcher,
        redirectUri: () => `${address}/api/settings/integrations/zoho/oauth/callback`,
        onZone: (tx, zone) => schedules.rezone(tx, zone),
        regions,
        gcpClient,
        timeLimits,
      }),
    )
    const pullPlaces = placesOf(config.dataDir, config.pull.jsonBaseDir)
    const imports = { importsDir: join(config.dataDir, 'imports'), maxImportBytes: config.images.maxImportBytes }
    const itemSync = {
      db,
      clock,
      view,
      openZoho: connect.open,
      currencyOf: async (zoho, signal) => (await connect.readOrganization(zoho, signal))?.currency ?? null,
      ingest,
      urls,
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
          createNoticeSync(itemSync),
          createCrmSync({ db, clock, openZoho: connect.open }),
          ...pullHandlers({ db, clock, log, places: pullPlaces, openZoho: connect.open, concurrency: config.zoho.concurrency }),
          createGalleryRun({ db, clock, openZoho: connect.open, ingest, view, concurrency: config.zoho.concurrency }),
          ...pictures.runHandlers({
            fromZoho: refetchFromZoho(connect.open),
            fromUrl: async (url, signal) => ({
              body: (await fetchPictureUrl(urls, url, signal)).body,
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
      schedules,
      isEnabled: async () => (await connect.settings.effective()).enabled,
      shopZone: async () => (await connect.knownOrganization())?.timeZone ?? null,
    })
    opened.adopt(schedules, (it) => it.close())
    const notices = opened.adopt(createNoticeInbox({ db, clock, log, runs, works }), (it) => it.close())
    const notify = opened.use(
      openNotify({
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
      identification,
      sessions,
      users,
      stores,
      edgeTokens,
      feed,
      photoList,
      photoFiles,
      hotFiles: createHotFiles(store),
      connect,
      /** For `zinc keys rotate`. */
      rotation: { secrets, columns: SEALED, jwtRing, credentialsRing, checkKeys },
      runs,
      modules,
      pulls: createPulls({
        db,
        clock,
        places: pullPlaces,
        runs,
        openZoho: connect.open,
        organization: async () => (await connect.settings.effective()).values.organization_id,
        requestsPerMinute: config.zoho.requestsPerMinute,
        requestsPerDay: config.zoho.requestsPerDay,
      }),
      schedules,
      notify,
      notices,
      itemSync: { ...imports, requestsPerMinute: config.zoho.requestsPerMinute, requestsPerDay: config.zoho.requestsPerDay },
      ...pictures,
      sendPictures: { db, store, openZoho: async () => connect.open() },
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
