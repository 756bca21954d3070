import { context, SpanKind, trace } from '@opentelemetry/api'
import pg from 'pg'
import { markFailed } from '../lib/tracing.ts'

type Query = (this: pg.Client, ...args: unknown[]) => unknown

/** The text with its placeholders: values are parameters and stay out. */
const MAX_TEXT = 2_000

/**
 * Makes each statement that belongs to a request or run a span; statements of timers are none.
 * Returns how to take that back.
 */
export function traceStatements(): () => void {
  const prototype = pg.Client.prototype as unknown as { query: Query }
  const { query } = prototype
  prototype.query = function (...args) {
    const text = textOf(args[0])
    if (text === null || !trace.getActiveSpan()) return query.apply(this, args)
    const [operation = 'SQL'] = text.trim().split(/\s/, 1)
    const span = trace.getTracer('zinc').startSpan(operation.toUpperCase(), {
      kind: SpanKind.CLIENT,
      attributes: { 'db.system.name': 'postgresql', 'db.query.text': text.slice(0, MAX_TEXT) },
    })
    const end = (error?: unknown) => {
      if (error) markFailed(span, error)
      span.end()
    }
    const done = args.at(-1)
    if (typeof done === 'function') {
      const bound = context.bind(context.active(), done as (...results: unknown[]) => void)
      args[args.length - 1] = (error: unknown, ...results: unknown[]) => {
        end(error)
        bound(error, ...results)
      }
      return query.apply(this, args)
    }
    const result = query.apply(this, args)
    if (result instanceof Promise)
      result.then(
        () => end(),
        (error: unknown) => end(error),
      )
    else end()
    return result
  }
  return () => {
    prototype.query = query
  }
}

/** Null for what is no statement of text, such as a COPY stream. */
function textOf(query: unknown): string | null {
  if (typeof query === 'string') return query
  if (typeof query !== 'object' || query === null || 'submit' in query) return null
  const { text } = query as { text?: unknown }
  return typeof text === 'string' ? text : null
}
