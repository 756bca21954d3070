import { type Attributes, context, type Link, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

/**
 * Spans through the API alone, which does nothing until `src/telemetry` has registered an SDK.
 */
const tracer = () => trace.getTracer('zinc')

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT } as const

export interface SpanOptions {
  kind?: keyof typeof KINDS
  attributes?: Attributes
  /**
   * A stored traceparent in place of the active span; `sameTrace: false` begins a new trace that
   * links to it.
   */
  from?: { traceParent: string | null; sameTrace: boolean }
}

/** Runs `work` as the active span; an error ends it as failed. */
export async function inSpan<T>(
  name: string,
  { kind = 'internal', attributes = {}, from }: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const remote = from && parseTraceParent(from.traceParent)
  const parent = !from ? context.active() : remote && from.sameTrace ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT
  const links: Link[] = remote && from && !from.sameTrace ? [{ context: remote }] : []
  const span = tracer().startSpan(name, { kind: KINDS[kind], attributes, links }, parent)
  return context.with(trace.setSpan(parent, span), async () => {
    try {
      return await work(span)
    } catch (error) {
      markFailed(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}

/** Never the message: it may quote what a person or Zoho sent. */
export function markFailed(span: Span, error: unknown): void {
  const { code } = error as { code?: unknown }
  span.setAttribute('error.type', typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown')
  span.setStatus({ code: SpanStatusCode.ERROR })
}

/** Returns the active span as W3C traceparent; null without tracing. */
export function activeTraceParent(): string | null {
  const at = trace.getActiveSpan()?.spanContext()
  return at ? `00-${at.traceId}-${at.spanId}-${at.traceFlags.toString(16).padStart(2, '0')}` : null
}

function parseTraceParent(text: string | null) {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text ?? '') ?? []
  return traceId && spanId && flags ? { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true } : null
}

/** For each line of the log: the ids of the active span; nothing without tracing. */
export function traceIds(): { trace_id?: string; span_id?: string } {
  const at = trace.getActiveSpan()?.spanContext()
  return at ? { trace_id: at.traceId, span_id: at.spanId } : {}
}
