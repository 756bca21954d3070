import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import fastifyPlugin from 'fastify-plugin'

/**
 * One span for each request, under the caller's `traceparent` if there is one. Only registered
 * where traces are wanted. The path is the route's, so no token in an address gets in.
 */
export const tracing = fastifyPlugin(async (app) => {
  const spans = new WeakMap<object, Span>()
  app.addHook('onRequest', (request, _reply, done) => {
    const parent = propagation.extract(ROOT_CONTEXT, request.headers)
    const route = request.routeOptions.url ?? 'unknown'
    const span = trace.getTracer('zinc').startSpan(
      `${request.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': request.method, 'http.route': route, 'zinc.request_id': request.id },
      },
      parent,
    )
    spans.set(request, span)
    context.with(trace.setSpan(parent, span), done)
  })
  const end = (request: object, status: number | null) => {
    const span = spans.get(request)
    if (!span) return
    spans.delete(request)
    if (status !== null) span.setAttribute('http.response.status_code', status)
    if (status === null || status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }
  app.addHook('onResponse', (request, reply, done) => {
    end(request, reply.statusCode)
    done()
  })
  app.addHook('onRequestAbort', (request, done) => {
    end(request, null)
    done()
  })
})
