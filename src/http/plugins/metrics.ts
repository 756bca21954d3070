import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Database } from '../../database/client.ts'
import { ForbiddenError } from '../../lib/errors.ts'
import { timingSafeEqualStrings } from '../../lib/timing-safe-equal.ts'
import { requireIdentity } from './authentication.ts'

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Registry
  }
}

/** Headers that proxies add: then the connection from this machine is not the client's own. */
const FORWARDING =
  /^(forwarded|via|x-forwarded(-.*)?|x-(original|real|client|cluster|envoy|amzn|azure)-.*|cf-.*|cdn-.*|true-client-ip|fastly-.*|fly-.*)$/
/**
 * Names of this machine for itself. A web page whose own name resolves to 127.0.0.1 would send that
 * name.
 */
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/**
 * Counts and times every request by route (never by URL: there are unlimited ones) and reads the
 * other metrics from the database when they are scraped.
 */
export const metricsPlugin = fp<{ db: Database }>(
  async (app, { db }) => {
    const registers = [new Registry()]
    const [registry] = registers
    collectDefaultMetrics({ register: registry! })
    const requests = new Counter({
      name: 'zinc_http_requests_total',
      help: 'Answered requests',
      labelNames: ['method', 'route', 'status'],
      registers,
    })
    const seconds = new Histogram({
      name: 'zinc_http_request_seconds',
      help: 'Time to the end of the answer',
      labelNames: ['route'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    })
    app.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'none'
      requests.inc({ method: request.method, route, status: String(reply.statusCode) })
      seconds.observe({ route }, reply.elapsedTime / 1000)
      done()
    })
    databaseGauges(db, registers, app.log)
    app.decorate('metrics', registry!)
  },
  { name: 'metrics' },
)

/**
 * Each gauge queries the database when it is scraped, so that nothing is updated without a reader.
 */
function databaseGauges(db: Database, registers: Registry[], log: FastifyBaseLogger): void {
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    read: (set: (labels: Record<L, string>, value: number) => void) => Promise<void>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        this.reset()
        // Without a database the other metrics are still reported; zinc_database_up says why these
        // are missing.
        await read((labels, value) => this.set(labels, value)).catch((err: unknown) =>
          log.warn({ err, metric: name }, 'metric could not be read'),
        )
      },
    })

  gauge('zinc_database_up', 'Whether the database answers', [], (set) =>
    db.$queryRaw`select 1`.then(
      () => set({}, 1),
      () => set({}, 0),
    ),
  )
  gauge('zinc_runs', 'Runs by kind and state', ['kind', 'state'], async (set) => {
    for (const row of await db.run.groupBy({ by: ['kind', 'state'], _count: true })) set({ kind: row.kind, state: row.state }, row._count)
  })
  gauge('zinc_run_last_success_timestamp_seconds', 'When a run of this kind last succeeded', ['kind'], async (set) => {
    for (const row of await db.run.groupBy({ by: ['kind'], where: { state: 'success' }, _max: { finished_at: true } }))
      if (row._max.finished_at) set({ kind: row.kind }, row._max.finished_at.getTime() / 1000)
  })
  gauge('zinc_failures_open', 'Things that failed and were neither retried with success nor dismissed', ['code'], async (set) => {
    for (const row of await db.failure.groupBy({ by: ['code'], where: { resolved_at: null, dismissed_at: null }, _count: true }))
      set({ code: row.code }, row._count)
  })
  gauge('zinc_zoho_calls_last_minute', 'Calls to Zoho in the last 60 seconds, of all processes', ['job'], async (set) => {
    const since = new Date(Date.now() - 60_000)
    for (const row of await db.zohoCall.groupBy({ by: ['job'], where: { started_at: { gt: since } }, _count: true }))
      set({ job: row.job }, row._count)
  })
  gauge('zinc_zoho_calls_last_day', 'Calls to Zoho in the last 24 hours by status', ['status'], async (set) => {
    const since = new Date(Date.now() - 86_400_000)
    for (const row of await db.zohoCall.groupBy({ by: ['status'], where: { started_at: { gt: since } }, _count: true }))
      set({ status: String(row.status ?? 'under way') }, row._count)
  })
  gauge('zinc_zoho_quota', "The day's calls as last reported in Zoho's headers", ['organization', 'what'], async (set) => {
    for (const { organization, day_limit, day_left } of await db.zohoRateLimit.findMany()) {
      if (day_limit !== null) set({ organization, what: 'limit' }, day_limit)
      if (day_left !== null) set({ organization, what: 'left' }, day_left)
    }
  })
  gauge('zinc_products', 'Products that are not deleted, by status', ['status'], async (set) => {
    for (const row of await db.product.groupBy({ by: ['status'], where: { deleted_at: null }, _count: true }))
      set({ status: row.status }, row._count)
  })
  gauge('zinc_product_images', "Products by the state of Zoho's image", ['state'], async (set) => {
    for (const row of await db.product.groupBy({ by: ['image_state'], where: { deleted_at: null }, _count: true }))
      set({ state: row.image_state }, row._count)
  })
  gauge('zinc_photos', 'Images of products', ['source'], async (set) => {
    for (const row of await db.photo.groupBy({ by: ['source'], where: { deleted_at: null }, _count: true }))
      set({ source: row.source }, row._count)
  })
  gauge('zinc_photo_bytes', 'Bytes of the original images', [], async (set) =>
    set({}, Number((await db.blob.aggregate({ _sum: { size: true } }))._sum.size ?? 0)),
  )
}

/**
 * Open to a direct connection from this machine under one of its own names; others need
 * METRICS_TOKEN or must be admins.
 */
export const metricsRoute: FastifyPluginAsyncZod<{ metricsToken: string | undefined; publicUrl: string | undefined }> = async (
  app,
  { metricsToken, publicUrl },
) => {
  // With a public URL there is a proxy, and a simple one does not identify itself.
  const isPublic = publicUrl !== undefined && !LOOPBACK_HOST.test(new URL(publicUrl).host)
  const config = {
    produces: ['text/plain'],
    openTo: 'direct connections from this machine under a loopback name, to METRICS_TOKEN and to admins',
  }
  app.get(
    '/metrics',
    { config, schema: { tags: ['health'], operationId: 'getMetrics', summary: 'Prometheus metrics' } },
    async (request, reply) => {
      if (
        (isPublic || !isLocal(request)) &&
        !(metricsToken !== undefined && timingSafeEqualStrings(request.headers.authorization ?? '', `Bearer ${metricsToken}`))
      ) {
        if (requireIdentity(request).role !== 'admin') throw new ForbiddenError('metrics_forbidden')
      }
      return reply.type(app.metrics.contentType).send(await app.metrics.metrics())
    },
  )
}

/**
 * A proxy that adds no header and sends our own address as Host still uses HTTP/1.0, as nginx does
 * by default.
 */
const isLocal = ({ socket, headers, raw }: FastifyRequest): boolean =>
  /^(127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? '') &&
  raw.httpVersion !== '1.0' &&
  LOOPBACK_HOST.test(headers.host ?? '') &&
  !Object.keys(headers).some((name) => FORWARDING.test(name))
