import { randomUUID } from 'node:crypto'
import fastifyCookie from '@fastify/cookie'
import fastifyCors from '@fastify/cors'
import { serializerCompiler, validatorCompiler } from '@fastify/type-provider-zod'
import Fastify, { LogController } from 'fastify'
import type { Logger } from 'pino'
import type { EdgeTokens } from './access/edge-tokens.ts'
import type { Identification } from './access/identification.ts'
import type { Sessions } from './access/sessions.ts'
import type { Stores } from './access/stores.ts'
import type { Users } from './access/users.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Connect } from './connect/open-connect.ts'
import type { Database } from './db.ts'
import type { PhotoFiles } from './feed/files.ts'
import type { PhotoList } from './feed/list.ts'
import type { Feed } from './feed/state.ts'
import { apiDocs } from './http/api-docs.ts'
import { auditRoutes } from './http/audit.ts'
import { authentication } from './http/auth.ts'
import { consentRoutes } from './http/consent.ts'
import { corsOptions } from './http/cors.ts'
import { coverageRoutes } from './http/coverage.ts'
import { errorHandling, failUnroutable } from './http/errors.ts'
import { exportRoutes } from './http/export.ts'
import { failureRoutes } from './http/failures.ts'
import { healthRoutes } from './http/health.ts'
import { type ItemSyncRoutesDeps, itemSyncRoutes } from './http/item-sync.ts'
import { loginRoutes } from './http/login.ts'
import { manyPictureRoutes } from './http/many-pictures.ts'
import { mappingRoutes } from './http/mapping.ts'
import { mediaRoutes } from './http/media.ts'
import { metricsCollection, metricsRoute } from './http/metrics.ts'
import { notificationRoutes } from './http/notifications.ts'
import { openConnections } from './http/open-connections.ts'
import { pageRoutes } from './http/page.ts'
import { photoSyncRoutes } from './http/photo-sync.ts'
import { photoSyncFileRoutes } from './http/photo-sync-files.ts'
import { productGalleryRoutes } from './http/product-gallery.ts'
import { productImageRoutes } from './http/product-images.ts'
import { productImportRoutes } from './http/product-imports.ts'
import { productRoutes } from './http/products.ts'
import { pullRoutes } from './http/pulls.ts'
import { failUnparsed } from './http/raw-failure.ts'
import { requestBodies } from './http/request-bodies.ts'
import { requestLimits } from './http/request-limits.ts'
import { securityHeaders } from './http/security-headers.ts'
import { slowReaders } from './http/slow-readers.ts'
import { slowRequests } from './http/slow-requests.ts'
import { storeFleetRoutes } from './http/store-fleet.ts'
import { storeRoutes } from './http/stores.ts'
import { syncRunRoutes } from './http/sync-runs.ts'
import { userRoutes } from './http/users.ts'
import { webhookSetupRoutes } from './http/webhook-setup.ts'
import { zohoConnectionRoutes } from './http/zoho-connection.ts'
import { zohoPictureRoutes } from './http/zoho-pictures.ts'
import { zohoQuotaRoutes } from './http/zoho-quota.ts'
import { zohoRecordRoutes } from './http/zoho-records.ts'
import { zohoSettingsRoutes } from './http/zoho-settings.ts'
import { zohoWebhookRoutes } from './http/zoho-webhook.ts'
import type { Runs } from './jobs/runs.ts'
import type { Notify } from './notify/open-notify.ts'
import type { Decoder } from './photos/decoder.ts'
import type { HotFiles } from './photos/hot-files.ts'
import type { ImportDeps } from './photos/imports.ts'
import type { IngestDeps } from './photos/ingest.ts'
import type { VariantMaker } from './photos/make-variant.ts'
import type { Recipes } from './photos/recipe.ts'
import type { ImageUrls } from './photos/signed-url.ts'
import type { PhotoStore } from './photos/store.ts'
import type { View } from './photos/view.ts'
import type { Pulls } from './pull/pulls.ts'
import type { ZohoModules } from './sync/modules.ts'
import type { NoticeInbox } from './sync/notice-inbox.ts'
import type { SendPictureDeps } from './sync/send-picture.ts'

export interface AppDeps {
  db: Database
  log: Logger
  clock: Clock
  identification: Identification
  sessions: Sessions
  users: Users
  stores: Stores
  edgeTokens: EdgeTokens
  feed: Feed
  photoList: PhotoList
  photoFiles: PhotoFiles
  hotFiles: HotFiles
  runs: Runs
  connect: Connect
  modules: ZohoModules
  pulls: Pulls
  notify: Notify
  notices: NoticeInbox
  limits: Pick<Config['zoho'], 'requestsPerMinute' | 'requestsPerDay'>
  itemSync: Pick<ItemSyncRoutesDeps, 'importsDir' | 'maxImportBytes' | 'requestsPerMinute' | 'requestsPerDay'>
  store: PhotoStore
  recipes: Recipes
  makeVariant: VariantMaker
  ingest: IngestDeps
  decoder: Decoder
  imageImports: ImportDeps
  sendPictures: SendPictureDeps
  view: View
  imageUrls: ImageUrls
  isStopping(): boolean
  /** False with ROLE=worker. */
  answers: boolean
  http: {
    publicUrl: string | undefined
    trustedProxies: string[]
    corsOrigins: string[]
    requestsPerMinute: { person: number; edge: number }
    metricsToken: string | undefined
    xAccel: boolean
  }
}

const MAX_JSON_BYTES = 256 * 1024
/** A caller's own id is kept, so that its log and ours speak of the same request; anything but a plain word would be a way into the log. */
const givenRequestId = (given: string | string[] | undefined): string | undefined =>
  typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : undefined

/** Assembles the HTTP surface, in reading order. No environment, no listening, nothing to close but the app. */
export async function buildApp(deps: AppDeps) {
  const { db, log, clock, identification, edgeTokens, sessions, users, runs, connect, modules, notify, imageUrls, http } = deps
  const app = Fastify({
    loggerInstance: log,
    genReqId: (request) => givenRequestId(request.headers['x-request-id']) ?? randomUUID(),
    bodyLimit: MAX_JSON_BYTES,
    trustProxy: http.trustedProxies.length > 0 ? http.trustedProxies : false,
    // Fastify's own defaults are none: a slow client would hold its socket for ever. Slow bodies: see slowRequests.
    requestTimeout: 0,
    keepAliveTimeout: 10_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, requireHostHeader: false },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    logController: new LogController({ disableRequestLogging: log.level !== 'debug' }),
    clientErrorHandler: failUnparsed,
    frameworkErrors: failUnroutable,
  })
  app.setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })

  await app.register(errorHandling)
  await app.register(openConnections)
  await app.register(metricsCollection, { db })
  await app.register(securityHeaders)
  if (http.corsOrigins.length > 0) await app.register(fastifyCors, corsOptions(http.corsOrigins))
  await app.register(fastifyCookie)
  await app.register(authentication, { identification, edgeTokens, publicUrl: http.publicUrl })
  await app.register(requestLimits, { requestsPerMinute: http.requestsPerMinute })
  await app.register(requestBodies)
  await app.register(slowRequests)
  await app.register(slowReaders)
  await app.register(apiDocs)

  await app.register(healthRoutes, { db, isStopping: deps.isStopping })
  await app.register(metricsRoute, { metricsToken: http.metricsToken })
  // A process that only works answers those who watch over it.
  if (!deps.answers) return app
  await app.register(loginRoutes, { prefix: '/api/v1/auth', sessions, publicUrl: http.publicUrl })
  await app.register(userRoutes, { prefix: '/api/v1/users', users })
  await app.register(storeRoutes, { ...deps, prefix: '/api/v1/stores' })
  await app.register(photoSyncRoutes, { ...deps, prefix: '/api/v1/sync/product-photos' })
  await app.register(photoSyncFileRoutes, { ...deps, prefix: '/api/v1/sync/product-photos', xAccel: http.xAccel })
  await app.register(storeFleetRoutes, { ...deps, prefix: '/api/v1/sync' })
  const zohoPrefix = '/api/settings/integrations/zoho'
  await app.register(zohoWebhookRoutes, { prefix: zohoPrefix, db, clock, connect, notices: deps.notices })
  await app.register(zohoSettingsRoutes, { prefix: zohoPrefix, db, clock, runs, connect, modules })
  await app.register(zohoConnectionRoutes, { prefix: zohoPrefix, db, connect })
  await app.register(consentRoutes, { prefix: zohoPrefix, connect, publicUrl: http.publicUrl })
  await app.register(webhookSetupRoutes, { prefix: zohoPrefix, db, connect })
  await app.register(zohoQuotaRoutes, { prefix: zohoPrefix, db, clock, connect, modules, limits: deps.limits })
  await app.register(notificationRoutes, { prefix: zohoPrefix, db, notifications: connect.notifications, test: notify.test })
  await app.register(auditRoutes, { prefix: '/api/settings/integrations/zoho', db })
  await app.register(mappingRoutes, { prefix: '/api/settings/integrations/zoho', ...deps })
  await app.register(coverageRoutes, { prefix: '/api/settings/integrations/zoho', db, clock })
  await app.register(itemSyncRoutes, { ...deps, ...deps.itemSync, prefix: '/api/settings/integrations/zoho' })
  await app.register(syncRunRoutes, { prefix: '/api/settings/integrations/zoho', db, runs })
  await app.register(failureRoutes, { prefix: '/api/settings/integrations/zoho', db, runs, clock })
  await app.register(exportRoutes, { ...deps, prefix: '/api/settings/integrations/zoho' })
  await app.register(pullRoutes, { prefix: '/api/pulls', pulls: deps.pulls })
  await app.register(zohoRecordRoutes, { prefix: '/api/zoho', db })
  await app.register(productRoutes, { db, imageUrls, clock })
  await app.register(productImageRoutes, deps)
  await app.register(productGalleryRoutes, deps)
  await app.register(manyPictureRoutes, deps)
  await app.register(productImportRoutes, deps)
  await app.register(mediaRoutes, deps)
  await app.register(zohoPictureRoutes, deps)
  await app.register(pageRoutes)
  return app
}
