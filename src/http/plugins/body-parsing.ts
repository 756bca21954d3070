import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { BadRequestError, PayloadTooLargeError, UnsupportedMediaTypeError, UriTooLongError } from '../../lib/errors.ts'
import { findJsonIssue } from '../validate-json.ts'

const FORM = 'application/x-www-form-urlencoded'
/** Longer addresses are no use here; Node itself takes 16 KB of headers, the address included. */
const MAX_URL_LENGTH = 8_192

declare module 'fastify' {
  interface FastifyRequest {
    /** The client waits for `100 Continue` before it sends its body. */
    expectsContinue: boolean
  }
}

/**
 * What a request may carry: strict JSON in UTF-8, nothing compressed, nothing larger than its route takes.
 * All of it is decided by headers where it can be, and after the token: a body for a route that refuses is not read.
 */
export const bodyParsing = fp(
  async (app) => {
    const parseJson = app.getDefaultJsonParser('error', 'error')
    app.removeContentTypeParser(['application/json', 'text/plain'])
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      // People paste curl lines with a JSON type and no body: that is an empty object.
      if (body.length === 0) return done(null, {})
      const text = readUtf8(Buffer.from(body))
      if (text === null) return done(notJson('it is not UTF-8'))
      parseJson(request, text, (error, value: unknown) => {
        if (error) return done(notJson('it cannot be parsed'))
        const flaw = findJsonIssue(text)
        return flaw === null ? done(null, value) : done(notJson(flaw))
      })
    })

    // Node would ask for the body before anybody has looked at the token.
    const expecting = new WeakSet<object>()
    app.server.on('checkContinue', (request, response) => {
      expecting.add(request)
      app.server.emit('request', request, response)
    })
    app.decorateRequest('expectsContinue', false)

    app.addHook('onRequest', (request, _reply, done) => {
      request.expectsContinue = expecting.has(request.raw)
      const url = request.raw.url ?? ''
      if (url.length > MAX_URL_LENGTH) throw new UriTooLongError('uri_too_long', { max: MAX_URL_LENGTH })
      if (/%00|\0/.test(url)) throw new BadRequestError('bad_request.url_character')
      // Node's own refusal (requireHostHeader) would not be in the shape of the others.
      if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) throw new BadRequestError('bad_request.no_host')
      const encoding = request.headers['content-encoding']
      if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
        throw new UnsupportedMediaTypeError('unsupported_content_encoding')
      done()
    })
    // curl gives `-d ''` the type of a form; nobody means one by it.
    app.addHook('onRequest', (request, _reply, done) => {
      if (request.headers['content-length'] === '0' && request.headers['content-type'] === FORM) delete request.headers['content-type']
      done()
    })
    // Without a body, what a route needs is named field by field, as with an empty one.
    app.addHook('preValidation', (request, _reply, done) => {
      if (request.body === undefined && request.routeOptions.schema?.body !== undefined) request.body = {}
      done()
    })
    // Forms and scripts send along what they leave empty. Only where it reads: an empty dry_run must not become a real run.
    app.addHook('preValidation', (request, _reply, done) => {
      const query = request.query as Record<string, unknown>
      if (request.method === 'GET' || request.method === 'HEAD') for (const name in query) if (query[name] === '') delete query[name]
      done()
    })
    app.addHook('preParsing', (request, reply, _payload, done) => {
      refuseTooLarge(request)
      if (request.expectsContinue) reply.raw.writeContinue()
      done()
    })
  },
  { name: 'request-bodies' },
)

/** A length that is said beforehand needs no counting. Routes with large bodies have limits of their own. */
function refuseTooLarge(request: FastifyRequest): void {
  if (request.routeOptions.config.largeBody) return
  const length = Number(request.headers['content-length'] ?? 0)
  const limit = request.routeOptions.bodyLimit
  if (limit !== undefined && length > limit) throw new PayloadTooLargeError('payload_too_large', { max_bytes: limit })
}

const workers = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
function readUtf8(bytes: Buffer): string | null {
  try {
    return workers.decode(bytes)
  } catch {
    return null
  }
}

const notJson = (why: string) => new BadRequestError('invalid_json', { problem: why })
