import { hasZodFastifySchemaValidationErrors } from '@fastify/type-provider-zod'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { isConnectionError } from '../../database/errors.ts'
import {
  AppError,
  BadGatewayError,
  BadRequestError,
  ConflictError,
  detailOf,
  ForbiddenError,
  GoneError,
  InvalidImageError,
  NotFoundError,
  PayloadTooLargeError,
  PreconditionFailedError,
  RangeNotSatisfiableError,
  ServiceUnavailableError,
  TooManyRequestsError,
  UnauthorizedError,
  UnsupportedMediaTypeError,
  UriTooLongError,
} from '../../lib/errors.ts'
import type { Params } from '../../messages/message.ts'
import { say } from '../../messages/say.ts'

const KINDS: [new (...args: never[]) => AppError, number][] = [
  [BadRequestError, 400],
  [UnauthorizedError, 401],
  [ForbiddenError, 403],
  [NotFoundError, 404],
  [ConflictError, 409],
  [GoneError, 410],
  [PreconditionFailedError, 412],
  [PayloadTooLargeError, 413],
  [UriTooLongError, 414],
  [UnsupportedMediaTypeError, 415],
  [RangeNotSatisfiableError, 416],
  [InvalidImageError, 422],
  [TooManyRequestsError, 429],
  [BadGatewayError, 502],
  [ServiceUnavailableError, 503],
]
const statusOf = (error: AppError): number => KINDS.find(([kind]) => error instanceof kind)?.[1] ?? 500

/** Errors of Fastify and its plugins, mapped to zinc's codes. */
const FRAMEWORK_CODES: Record<string, string> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
}
const STATUS_CODES: Record<number, string> = {
  400: 'bad_request',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'payload_too_large',
  414: 'uri_too_long',
  429: 'too_many_requests',
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const Format = z.object({ format: z.string() })
const isNoUuid = ({ params }: { params: unknown }): boolean => Format.safeParse(params).data?.format === 'uuid'

/** The parts of a request under the names that validation uses. */
const PARTS = new Map<string | undefined, 'query' | 'params'>([
  ['querystring', 'query'],
  ['params', 'params'],
])
/** Returns what was sent at this path; undefined where nothing was. */
const valueAt = (part: unknown, path: string[]): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined), part)

/**
 * A URL that the router cannot parse never reaches a route or its hooks; its error has the same
 * format all the same.
 */
export function frameworkErrorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const status = error.statusCode === 414 ? 414 : 400
  reply.header('x-request-id', request.id)
  return fail(request, reply, status, { code: STATUS_CODES[status] ?? 'bad_request', message: error.message })
}

/** The only place where an error becomes a status. Everything else only throws. */
export const errorHandler = fp(
  async (app) => {
    app.setErrorHandler((error: FastifyError | AppError, request, reply) => {
      if (error instanceof AppError) {
        const status = statusOf(error)
        if (status === 401) reply.header('www-authenticate', 'Bearer realm="zinc"')
        if (error.code === 'insufficient_scope')
          reply.header('www-authenticate', `Bearer error="insufficient_scope", scope="${error.params.required_scope}"`)
        request.log[status < 500 ? 'info' : 'warn']({ code: error.code }, error.message)
        if ((error instanceof TooManyRequestsError || error instanceof ServiceUnavailableError) && error.retryAfterMs !== undefined)
          reply.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)))
        return fail(request, reply, status, error)
      }
      if (hasZodFastifySchemaValidationErrors(error)) {
        const part = PARTS.get(error.validationContext) ?? 'body'
        const issues = error.validation.map(({ instancePath, message = 'is wrong' }) => {
          const path = instancePath.split('/').filter((key: string) => key !== '')
          return {
            field: path.join('.') || (isObject(request[part]) ? part : ''),
            message: valueAt(request[part], path) === undefined ? 'is required' : `is invalid: ${message}`,
          }
        })
        // An id that is no UUID is the id of nothing.
        if (part === 'params' && error.validation.every(isNoUuid)) return fail(request, reply, 404, say('not_found'))
        return fail(
          request,
          reply,
          400,
          issues[0]?.field ? say('bad_request', { fields: issues }) : say('bad_request.body', { fields: issues }),
        )
      }
      const status = error.statusCode ?? 500
      if (status === 415)
        return fail(request, reply, status, say('unsupported_media_type', { type: request.headers['content-type'] || 'unknown' }))
      if (status < 500)
        return fail(request, reply, status, {
          code: FRAMEWORK_CODES[error.code] ?? STATUS_CODES[status] ?? 'bad_request',
          message: error.message,
        })
      if (isConnectionError(error)) {
        request.log.warn({ err: error }, 'database does not respond')
        reply.header('retry-after', '5')
        return fail(request, reply, 503, say('database_unavailable'))
      }
      request.log.error({ err: error }, 'unexpected error')
      return fail(request, reply, 500, say('internal'))
    })
    const methodsAt = knownMethods(app)
    app.setNotFoundHandler((request, reply) => {
      const methods = methodsAt(request.raw.url ?? '')
      if (methods.length > 0) {
        reply.header('allow', methods.join(', '))
        return fail(request, reply, 405, say('method_not_allowed', { method: request.method, allow: methods }))
      }
      return fail(request, reply, 404, say('not_found'))
    })
  },
  { name: 'error-handling' },
)

/**
 * Returns a function that lists the methods of the routes at a URL; none where no route matches.
 * Catch-all routes do not count.
 */
function knownMethods(app: FastifyInstance): (url: string) => string[] {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    if (url.endsWith('*')) return
    const path = url.replace(/\/+$/, '')
    const known = routes.get(path) ?? {
      pattern: new RegExp(`^${path.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:[^/]+/g, '[^/]+')}/?$`),
      methods: new Set<string>(),
    }
    for (const one of [method].flat()) known.methods.add(one)
    routes.set(path, known)
  })
  return (url) => {
    const path = url.split('?')[0] ?? ''
    return [...new Set([...routes.values()].filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]))].sort()
  }
}

/**
 * Headers of a body that could not be sent: with the error, a cache would keep it for as long as
 * the image.
 */
const OF_THE_BODY = ['etag', 'accept-ranges', 'content-disposition', 'content-length', 'x-checksum', 'x-checksum-sha256', 'x-version']

function fail(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  { code, message, remedy, params = {} }: { code: string; message: string; remedy?: string | undefined; params?: Params },
) {
  for (const name of OF_THE_BODY) reply.removeHeader(name)
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send({
      status: 'error',
      code,
      message,
      detail: detailOf({ params, remedy }) ?? {},
      ...(typeof params.run_id === 'string' && { run_id: params.run_id }),
      request_id: request.id,
    })
}
