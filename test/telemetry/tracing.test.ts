import { execFile } from 'node:child_process'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { beforeAll, expect, test, vi } from 'vitest'
import { createLogger } from '../../src/lib/logger.ts'
import { inSpan } from '../../src/lib/tracing.ts'
import { addNotification, notification } from '../../src/notifications/notifications.ts'
import { startTracing } from '../../src/telemetry/start-tracing.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { longTest } from '../helpers/long.ts'
import { type CollectedSpan, createCollector } from '../helpers/otlp-collector.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

const run = promisify(execFile)
let zinc: TestZinc
let collector: Awaited<ReturnType<typeof createCollector>>
beforeAll(async () => {
  collector = await createCollector()
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'zinc-test', OTEL_BSP_SCHEDULE_DELAY: '100' }
  // The exporter reads the environment of its process.
  for (const [key, value] of Object.entries(environment)) vi.stubEnv(key, value)
  const tracing = startTracing(process.env)
  const opened = await openZinc({ environment })
  zinc = opened
  return async () => {
    await opened.end()
    await tracing.shutdown()
    await collector.close()
    vi.unstubAllEnvs()
  }
})

/** Waits for a span, and returns it with all of its trace. */
async function traceWith(name: string, isIt: (span: CollectedSpan) => boolean = () => true) {
  let found: CollectedSpan | undefined
  await waitFor(() => {
    found = collector.spans.find((span) => span.name === name && isIt(span))
    return found !== undefined
  })
  return { span: found!, trace: () => collector.spans.filter(({ traceId }) => traceId === found!.traceId) }
}

test('one trace leads from the request through its run to the calls to Zoho and the statements', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const response = await zinc.call('/api/settings/integrations/zoho/sync/item/execute', {
    method: 'POST',
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  })
  expect(response.status).toBe(200)
  const { span: request, trace } = await traceWith('POST /api/settings/integrations/zoho/sync/item/execute')
  expect(request).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331', attributes: { 'http.response.status_code': '200' } })
  const { span: itemRun } = await traceWith('run items')
  expect(itemRun).toMatchObject({ traceId, parentSpanId: request.spanId, links: [] })
  await waitFor(() => trace().some(({ name, parentSpanId }) => name === 'Zoho GET' && parentSpanId === itemRun.spanId))
  const statement = trace().find(({ attributes }) => /insert into product/i.test(attributes['db.query.text'] ?? ''))
  expect(statement?.attributes['db.system.name']).toBe('postgresql')
  expect(collector.serviceNames()).toEqual(['zinc-test'])
})

longTest('a run that outlives its request begins a trace that links to it', async () => {
  await zinc.call('/api/settings/integrations/zoho/sync/item/execute?wait=false', { method: 'POST' })
  const { span: request } = await traceWith(
    'POST /api/settings/integrations/zoho/sync/item/execute',
    ({ attributes }) => attributes['http.response.status_code'] === '202',
  )
  const { span: itemRun } = await traceWith('run items', ({ links }) => links.length > 0)
  expect(itemRun.links).toEqual([{ traceId: request.traceId, spanId: request.spanId }])
  expect(itemRun.traceId).not.toBe(request.traceId)
})

test('a job of the queue has a trace of its own that links to the one in which it was added', async () => {
  const { db, clock, queue } = zinc.services
  const adding = await inSpan('a change', {}, async (span) => {
    await addNotification(db, notification('test'), { clock, queue })
    return span.spanContext()
  })
  const { span: job, trace } = await traceWith('job notification')
  expect(job.links).toEqual([{ traceId: adding.traceId, spanId: adding.spanId }])
  expect(job.traceId).not.toBe(adding.traceId)
  await waitFor(() => trace().some(({ attributes }) => attributes['db.system.name'] === 'postgresql'))
})

test('a line of the log has the ids of the active span', async () => {
  const lines: string[] = []
  const log = createLogger('info', new Writable({ write: (chunk, _, done) => done(void lines.push(String(chunk))) }))
  log.info('outside')
  const ids = await inSpan('test', {}, async (span) => {
    log.info('inside')
    return span.spanContext()
  })
  expect(JSON.parse(lines[0]!)).not.toHaveProperty('trace_id')
  expect(JSON.parse(lines[1]!)).toMatchObject({ trace_id: ids.traceId, span_id: ids.spanId })
})

/** Starts what `npm start` starts, and returns the packages of OpenTelemetry that it has loaded. */
async function loadedPackages(environment: Record<string, string>): Promise<string[]> {
  const watch = `import { registerHooks } from 'node:module'; const seen = new Set();
    registerHooks({ load(url, context, next) { const it = /@opentelemetry[/]([^/]+)/.exec(url); if (it) seen.add(it[1]); return next(url, context) } });
    process.on('exit', () => process.stdout.write('LOADED ' + JSON.stringify([...seen].sort()) + '\\n'))`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(watch)}`, 'src/server.ts']
  // It ends by itself: there is no database at this port.
  const env = { ...childEnvironment, DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none', DATA_DIR: zinc.dataDir, ...environment }
  const { stdout } = await run(process.execPath, args, { env }).catch((error: { stdout: string }) => error)
  return JSON.parse(/^LOADED (.*)$/m.exec(stdout)?.[1] ?? '[]') as string[]
}

longTest('without the variables nothing but the API of OpenTelemetry is loaded', async () => {
  const without = await loadedPackages({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })
  expect(without).toEqual(['api'])
  expect(await loadedPackages({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })).toContain('sdk-trace')
})
