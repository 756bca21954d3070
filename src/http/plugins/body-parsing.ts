import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { BadRequestError, PayloadTooLargeError, UnsupportedMediaTypeError, UriTooLongError } from '../../lib/errors.ts'
import { findJsonIssue } from '../validate-json.ts'

const FORM = 'application/x-www-form-urlencoded'
/** Longer URLs are useless here; Node itself accepts 16 KB of headers including the URL. */
const MAX_URL_LENGTH = 8_192

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route decompresses bodies with `Content-Encoding: gzip` itself. */
    gzipBody?: boolean
  }
  interface FastifyRequest {
    /** The client waits for `100 Continue` before it sends its body. */
    expectsContinue: boolean
  }
}

/**
 * What a request may contain: strict JSON in UTF-8, compressed only where its route reads gzip, not
 * larger than its route allows. This is decided by headers where possible, and after the token: the
 * body of a refused request is not read.
 */
export const bodyParsing = fp(
  async (app) => {
    const parseJson = app.getDefaultJsonParser('error', 'error')
    app.removeContentTypeParser(['application/json', 'text/plain'])
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      // People paste curl commands with a JSON type and no body: that is an empty object.
      if (body.length === 0) return done(null, {})
      const text = readUtf8(Buffer.from(body))
      if (text === null) return done(notJson('it is not UTF-8'))
      parseJson(request, text, (error, value: unknown) => {
        if (error) return done(notJson('it cannot be parsed'))
        const issue = findJsonIssue(text)
        return issue === null ? done(null, value) : done(notJson(issue))
      })
    })

    // Node would request the body before the token has been checked.
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
      // Node's own refusal (requireHostHeader) would not have our error format.
      if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) throw new BadRequestError('bad_request.no_host')
      const encoding = request.headers['content-encoding']
      const readable = encoding === 'gzip' && request.routeOptions.config.gzipBody === true
      if (encoding !== undefined && encoding.toLowerCase() !== 'identity' && !readable)
        throw new UnsupportedMediaTypeError('unsupported_content_encoding')
      done()
    })
    // curl gives `-d ''` the type of a form, which is never intended.
    app.addHook('onRequest', (request, _reply, done) => {
      if (request.headers['content-length'] === '0' && request.headers['content-type'] === FORM) delete request.headers['content-type']
      done()
    })
    // Without a body, validation names the missing fields one by one, as with an empty object.
    app.addHook('preValidation', (request, _reply, done) => {
      if (request.body === undefined && request.routeOptions.schema?.body !== undefined) request.body = {}
      done()
    })
    // Forms and scripts send empty values. They are dropped only for reads: an empty dry_run must
    // not become a real run.
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

/** A declared length needs no counting. Routes with large bodies have their own limits. */
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
