import { Transform, type TransformCallback } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { closestName } from '../../lib/closest-name.ts'
import { BadRequestError } from '../../lib/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What happens to query parameters and body fields that the route's schema does not name;
     * `refuse` when left out.
     */
    unknownParameters?: 'refuse' | 'warn' | 'ignore'
  }
  interface FastifyRequest {
    /** Unknown parameters that the route ignored. */
    unknownParameters: UnknownParameter[]
  }
}

interface UnknownParameter {
  /** With its path, for example `fields.0.ownr`. */
  parameter: string
  nearest: string | null
  known: string[]
}

/** The names that a schema allows. Null: any name is allowed there, or there are none. */
type Names = { keys: Map<string, Names>; readOnly: Set<string>; strict: boolean } | { element: Names } | null

/** A route's input besides its path. */
interface Route {
  method: string
  path: string
  query: Names
  body: Names
}

const NONE = (): Names => ({ keys: new Map(), readOnly: new Set(), strict: true })

/**
 * Refuses query parameters and body fields that a route's zod schemas do not name: a misspelled
 * `dry_run` would otherwise start a real run. It runs after the checks of sign-in and role and
 * before the values are validated.
 */
export const unknownParameters = fp(
  async (app) => {
    const routes = new Map<string, Route>()
    const shown = new Map<string, Names>()
    app.decorateRequest('unknownParameters')

    app.addHook('onRoute', ({ method, url, schema, config }) => {
      const path = withoutSlash(url)
      if (!schema || schema.hide || config?.signed || config?.unknownParameters === 'ignore') return
      for (const one of [method].flat()) {
        routes.set(`${one} ${path}`, {
          method: one,
          path,
          query: schema.querystring === undefined ? NONE() : namesOf(schema.querystring),
          // Forms pass their field names to the parser; see http/multipart.ts.
          body: schema.consumes ? null : schema.body === undefined ? NONE() : namesOf(schema.body),
        })
        if (one === 'GET') shown.set(path, namesOfData(schema.response))
      }
    })
    // Clients send back what GET at the same URL returned, including what cannot be changed.
    app.addHook('onReady', async () => {
      for (const { method, path, body } of routes.values()) if (method !== 'GET') allowReadOnly(body, shown.get(path) ?? null)
    })
    const routeOf = ({ routeOptions: { method, url } }: FastifyRequest): Route | undefined =>
      url === undefined ? undefined : routes.get(`${method} ${withoutSlash(url)}`)

    const handle = (request: FastifyRequest, kind: string, unknown: UnknownParameter | null) => {
      if (unknown === null) return
      if (request.routeOptions.config.unknownParameters !== 'warn') throw unknownParameter(kind, unknown)
      request.unknownParameters = [...(request.unknownParameters ?? []), unknown]
    }
    app.addHook('preParsing', async (request) => {
      const route = routeOf(request)
      if (route) for (const unknown of findUnknown(request.query, route.query)) handle(request, 'query parameter', unknown)
    })
    app.addHook('preValidation', async (request) => {
      const route = routeOf(request)
      if (route) for (const unknown of findUnknown(request.body, route.body)) handle(request, 'field', unknown)
    })
    app.addHook('onSend', async (request, reply, payload) => {
      const ignored = request.unknownParameters ?? []
      if (ignored.length === 0 || !String(reply.getHeader('content-type')).startsWith('application/json')) return payload
      return addWarnings(payload, ignored)
    })
  },
  { name: 'unknown-parameters' },
)

const withoutSlash = (url: string): string => url.replace(/\/+$/, '')

/** Returns the error for an unknown query parameter, body field or form field. */
export function unknownParameter(kind: string, { parameter, nearest, known }: UnknownParameter): BadRequestError {
  return new BadRequestError('unknown_parameter', { kind, parameter, nearest, known })
}

/** Describes an unknown name with the known ones. */
export const describeUnknown = (name: string, known: string[], path = ''): UnknownParameter => {
  const similar = closestName(name, known)
  return { parameter: path + name, nearest: similar === null ? null : path + similar, known: known.map((it) => path + it) }
}

/** Yields the unknown names in a value, the outer ones first. */
function* findUnknown(value: unknown, names: Names, path = ''): Generator<UnknownParameter> {
  if (names === null || typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return
  if ('element' in names) {
    if (Array.isArray(value)) for (const [at, entry] of value.entries()) yield* findUnknown(entry, names.element, `${path}${at}.`)
    return
  }
  if (Array.isArray(value)) return
  const known = [...names.keys.keys()]
  for (const name of Object.keys(value)) if (!names.keys.has(name) && !names.readOnly.has(name)) yield describeUnknown(name, known, path)
  for (const [name, inner] of names.keys) yield* findUnknown((value as Record<string, unknown>)[name], inner, `${path}${name}.`)
}

function namesOf(schema: unknown): Names {
  if (!(schema instanceof z.core.$ZodType)) return null
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly':
      return namesOf(def.innerType)
    case 'pipe':
      return namesOf(def.in)
    case 'array': {
      const element = namesOf(def.element)
      return element && { element }
    }
    case 'object': {
      const strict = def.catchall?._zod.def.type === 'never'
      if (def.catchall && !strict) return null
      return { keys: new Map(Object.entries(def.shape).map(([name, inner]) => [name, namesOf(inner)])), readOnly: new Set(), strict }
    }
    default:
      return null
  }
}

/** The names in `data` of a route's 200 response. */
function namesOfData(response: unknown): Names {
  const names = namesOf((response as Record<string, unknown> | undefined)?.['200'])
  return names && 'keys' in names ? (names.keys.get('data') ?? null) : null
}

/** A strict schema accepts only its own names. */
function allowReadOnly(body: Names, shown: Names): void {
  if (body === null || shown === null) return
  if ('element' in body) {
    if ('element' in shown) allowReadOnly(body.element, shown.element)
    return
  }
  if (body.strict || 'element' in shown) return
  for (const [name, inner] of shown.keys) {
    const writable = body.keys.get(name)
    if (writable === undefined) body.readOnly.add(name)
    else allowReadOnly(writable, inner)
  }
}

/** Inserts `warnings` at the front of a JSON object, which may be a string, bytes or a stream. */
function addWarnings(payload: unknown, ignored: UnknownParameter[]): unknown {
  const warnings = ignored.map(({ parameter, nearest }) => ({
    code: 'unknown_parameter',
    parameter,
    nearest,
    message: `Unknown parameter ${JSON.stringify(parameter.slice(0, 100))} was ignored.${nearest === null ? '' : ` Did you mean ${nearest}?`}`,
  }))
  const begin = `{"warnings":${JSON.stringify(warnings)},`
  if (typeof payload === 'string') return payload.replace('{', () => begin)
  if (Buffer.isBuffer(payload)) return Buffer.concat([Buffer.from(begin), payload.subarray(payload.indexOf('{') + 1)])
  if (payload === null || payload === undefined || typeof (payload as NodeJS.ReadableStream).pipe !== 'function') return payload
  let begun = false
  const source = payload as NodeJS.ReadableStream
  const changed = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      const at = begun ? -1 : chunk.indexOf('{')
      if (at < 0) return done(null, chunk)
      begun = true
      done(null, Buffer.concat([chunk.subarray(0, at), Buffer.from(begin), chunk.subarray(at + 1)]))
    },
  })
  source.on('error', (error) => changed.destroy(error))
  return source.pipe(changed)
}
