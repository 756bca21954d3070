import { randomUUID } from 'node:crypto'
import fastifyCookie from '@fastify/cookie'
import fastifyCors from '@fastify/cors'
import { serializerCompiler, validatorCompiler } from '@fastify/type-provider-zod'
import Fastify, { LogController } from 'fastify'
import type { Config } from './config.ts'
import { authentication } from './http/plugins/authentication.ts'
import { bodyParsing } from './http/plugins/body-parsing.ts'
import { bodyTimeout } from './http/plugins/body-timeout.ts'
import { connectionLimit } from './http/plugins/connection-limit.ts'
import { corsOptions } from './http/plugins/cors.ts'
import { errorHandler, frameworkErrorHandler } from './http/plugins/error-handler.ts'
import { metricsPlugin, metricsRoute } from './http/plugins/metrics.ts'
import { openapi } from './http/plugins/openapi.ts'
import { rateLimit } from './http/plugins/rate-limit.ts'
import { responseTimeout } from './http/plugins/response-timeout.ts'
import { securityHeaders } from './http/plugins/security-headers.ts'
import { unknownParameters } from './http/plugins/unknown-parameters.ts'
import { untrustedProxy } from './http/plugins/untrusted-proxy.ts'
import { clientErrorHandler } from './http/raw-error-response.ts'
import { apiKeyRoutes } from './http/routes/api-keys.ts'
import { auditRoutes } from './http/routes/audit.ts'
import { authRoutes } from './http/routes/auth.ts'
import { backupRoutes } from './http/routes/backups.ts'
import { bulkImageRoutes } from './http/routes/bulk-images.ts'
import { coverageRoutes } from './http/routes/coverage.ts'
import { downloadRoutes } from './http/routes/downloads.ts'
import { exportRoutes } from './http/routes/export.ts'
import { failureRoutes } from './http/routes/failures.ts'
import { fieldMappingRoutes } from './http/routes/field-mapping.ts'
import { healthRoutes } from './http/routes/health.ts'
import { imageFileRoutes } from './http/routes/image-files.ts'
import { imageImportRoutes } from './http/routes/image-imports.ts'
import { itemImportRoutes } from './http/routes/item-imports.ts'
import { itemSyncRoutes } from './http/routes/item-sync.ts'
import { mediaRoutes } from './http/routes/media.ts'
import { notificationRoutes } from './http/routes/notifications.ts'
import { oauthRoutes } from './http/routes/oauth.ts'
import { photoDownloadRoutes } from './http/routes/photo-downloads.ts'
import { photoSyncRoutes } from './http/routes/photo-sync.ts'
import { predecessorLoginRoutes } from './http/routes/predecessor-logins.ts'
import { priceListRoutes } from './http/routes/price-lists.ts'
import { productChangeRoutes } from './http/routes/product-changes.ts'
import { productGalleryRoutes } from './http/routes/product-gallery.ts'
import { productGroupRoutes } from './http/routes/product-groups.ts'
import { productRoutes } from './http/routes/products.ts'
import { pullRoutes } from './http/routes/pulls.ts'
import { runRoutes } from './http/routes/runs.ts'
import { storeStatusRoutes } from './http/routes/store-status.ts'
import { storeRoutes } from './http/routes/stores.ts'
import { userRoutes } from './http/routes/users.ts'
import { webAppRoutes } from './http/routes/web-app.ts'
import { webhookSettingsRoutes } from './http/routes/webhook-settings.ts'
import { webhookRoutes } from './http/routes/webhooks.ts'
import { zohoConnectionRoutes } from './http/routes/zoho-connection.ts'
import { zohoImageRoutes } from './http/routes/zoho-images.ts'
import { zohoQuotaRoutes } from './http/routes/zoho-quota.ts'
import { zohoRecordRoutes } from './http/routes/zoho-records.ts'
import { zohoSettingsRoutes } from './http/routes/zoho-settings.ts'
import { zohoWebhookRoutes } from './http/routes/zoho-webhook.ts'
import type { Services } from './services.ts'

export interface AppDeps extends Omit<Services, typeof Symbol.asyncDispose> {
  limits: Pick<Config['zoho'], 'requestsPerMinute' | 'requestsPerDay' | 'stockPercent'>
  isStopping(): boolean
  role: Config['role']
  /** Requests are spans. */
  traces: boolean
  http: Pick<
    Config['http'],
    'publicUrl' | 'movedTo' | 'trustedProxies' | 'corsOrigins' | 'requestsPerMinute' | 'metricsToken' | 'xAccel' | 'publicImages'
  >
}

/** A thousand hashes, for example; routes that need more have their own. */
const MAX_JSON_BYTES = 128 * 1024
/**
 * A client's own request id is kept, so that both logs use the same one; anything but a plain word
 * could inject text into the log.
 */
const givenRequestId = (given: string | string[] | undefined): string | undefined =>
  typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : undefined

/**
 * Assembles the HTTP server, in reading order. Reads no environment, does not listen, and has
 * nothing to close but the app.
 */
export async function buildApp(deps: AppDeps) {
  const { db, log, clock, authenticator, edgeTokens, sessions, secondFactor, users, runs, connect, modules, notifier, http } = deps
  const app = Fastify({
    loggerInstance: log,
    genReqId: (request) => givenRequestId(request.headers['x-request-id']) ?? randomUUID(),
    bodyLimit: MAX_JSON_BYTES,
    trustProxy: http.trustedProxies.length > 0 ? http.trustedProxies : false,
    // Fastify has no timeouts by default: a slow client would hold its socket for ever. Slow
    // bodies: see bodyTimeout.
    requestTimeout: 0,
    keepAliveTimeout: 10_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, requireHostHeader: false },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    logController: new LogController({ disableRequestLogging: log.level !== 'debug' }),
    clientErrorHandler: clientErrorHandler,
    frameworkErrors: frameworkErrorHandler,
  })
  app.setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })

  if (deps.traces) await app.register((await import('./http/plugins/tracing.ts')).tracing)
  await app.register(errorHandler)
  await app.register(connectionLimit)
  await app.register(metricsPlugin, { db })
  await app.register(securityHeaders, { publicUrl: http.publicUrl })
  if (http.corsOrigins.length > 0) await app.register(fastifyCors, corsOptions(http.corsOrigins))
  await app.register(fastifyCookie)
  await app.register(authentication, { authenticator, edgeTokens, publicUrl: http.publicUrl })
  await app.register(untrustedProxy)
  await app.register(rateLimit, { requestsPerMinute: http.requestsPerMinute })
  await app.register(unknownParameters)
  await app.register(bodyParsing)
  await app.register(bodyTimeout)
  await app.register(responseTimeout)
  await app.register(openapi)

  await app.register(healthRoutes, { db, isStopping: deps.isStopping })
  await app.register(metricsRoute, { metricsToken: http.metricsToken, publicUrl: http.publicUrl })
  // A worker process only serves its monitoring.
  if (deps.role === 'worker') return app
  await app.register(authRoutes, { prefix: '/api/v1/auth', sessions, users, secondFactor, publicUrl: http.publicUrl })
  await app.register(predecessorLoginRoutes)
  await app.register(userRoutes, { prefix: '/api/v1/users', users })
  await app.register(apiKeyRoutes, { prefix: '/api/v1/api-keys', apiKeys: deps.apiKeys })
  await app.register(storeRoutes, { ...deps, prefix: '/api/v1/stores' })
  await app.register(photoSyncRoutes, { ...deps, prefix: '/api/v1/sync/product-photos', movedTo: http.movedTo })
  await app.register(photoDownloadRoutes, { ...deps, prefix: '/api/v1/sync/product-photos', xAccel: http.xAccel })
  await app.register(storeStatusRoutes, { ...deps, prefix: '/api/v1/sync' })
  const zohoPrefix = '/api/settings/integrations/zoho'
  await app.register(zohoWebhookRoutes, { prefix: zohoPrefix, db, clock, connect, webhookQueue: deps.webhookQueue })
  await app.register(zohoSettingsRoutes, { prefix: zohoPrefix, db, clock, runs, connect, modules })
  await app.register(zohoConnectionRoutes, { prefix: zohoPrefix, db, connect })
  await app.register(oauthRoutes, { prefix: zohoPrefix, connect, publicUrl: http.publicUrl })
  await app.register(webhookSettingsRoutes, { prefix: zohoPrefix, db, connect })
  await app.register(zohoQuotaRoutes, { prefix: zohoPrefix, db, clock, connect, modules, limits: deps.limits, ...deps.itemSync })
  await app.register(notificationRoutes, { prefix: zohoPrefix, db, notifications: connect.notifications, test: notifier.test })
  await app.register(auditRoutes, { prefix: zohoPrefix, db })
  await app.register(fieldMappingRoutes, { prefix: zohoPrefix, ...deps })
  await app.register(coverageRoutes, { prefix: zohoPrefix, db, clock })
  await app.register(itemSyncRoutes, { ...deps, ...deps.itemSync, prefix: zohoPrefix })
  await app.register(runRoutes, { prefix: zohoPrefix, db, clock, runs, zone: () => modules.zone() })
  await app.register(failureRoutes, { prefix: zohoPrefix, db, runs, clock })
  await app.register(exportRoutes, { ...deps, prefix: zohoPrefix })
  await app.register(pullRoutes, { prefix: '/api/pulls', db, pulls: deps.pulls })
  await app.register(zohoRecordRoutes, { prefix: '/api/zoho', db })
  await app.register(productRoutes, { ...deps, openZoho: deps.sendImages.openZoho })
  await app.register(productChangeRoutes, deps)
  await app.register(backupRoutes, { prefix: '/api/backups', backups: deps.backups })
  await app.register(priceListRoutes, deps)
  await app.register(productGroupRoutes, deps)
  await app.register(webhookRoutes, { ...deps, prefix: '/api/webhooks' })
  await app.register(imageFileRoutes, { ...deps, publicImages: http.publicImages })
  await app.register(productGalleryRoutes, deps)
  await app.register(bulkImageRoutes, deps)
  await app.register(imageImportRoutes, deps)
  await app.register(itemImportRoutes, { ...deps, ...deps.itemSync })
  await app.register(mediaRoutes, deps)
  await app.register(zohoImageRoutes, deps)
  await app.register(downloadRoutes)
  await app.register(webAppRoutes)
  return app
}
