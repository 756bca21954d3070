import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import { type Dispatcher, type FormData, request } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { knownTimeZone } from '../lib/local-time.ts'
import { inSpan } from '../lib/tracing.ts'
import { inEnglish, message, messageAs } from '../messages/say.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import {
  CRM_LIMITS,
  classifyResponse,
  codeOf,
  Fault,
  isLate,
  LIMIT_CODES,
  notAuthorized,
  outcomeOf,
  TokenRejectedError,
  tooLate,
} from './classify-response.ts'
import { errorCodeOf, RateLimitedError, ZohoNotFoundError, ZohoUnavailableError, zohoDetail } from './errors.ts'
import { SIGN_IN_MS } from './oauth.ts'
import type { CallJob, CallResult, RateLimiter } from './rate-limiter.ts'
import { parseZohoJson } from './value-types.ts'

export interface ZohoClientDeps {
  apiUrl: string
  /** Null before an organization is chosen: only calls that need none may be made. */
  organizationId: string | null
  /** The organization's, as far as it is known. */
  timeZone?: string | null | undefined
  tokens: { current(refused?: string): Promise<string> }
  rateLimiter: RateLimiter
  clock: Clock
  dispatcher: Dispatcher
  /**
   * Shared by all clients of the process. A connection test has none, since it must show the
   * present state.
   */
  circuitBreaker?: CircuitBreaker | undefined
  timeLimits?: TimeLimits | undefined
}

/** How long one attempt may take. */
export interface TimeLimits {
  /** Until a response begins, and between two chunks of it. */
  idleMs: number
  /**
   * A sender that sends a byte a second never exceeds the idle timeout, so each kind of response
   * also has a total timeout.
   */
  jsonMs: number
  imageMs: number
  signInMs: number
}

export const TIME_LIMITS: TimeLimits = { idleMs: 15_000, jsonMs: 60_000, imageMs: 120_000, signInMs: SIGN_IN_MS }

export interface ZohoCall {
  /** With the product, for example `/inventory/v1/items`. */
  path: string
  query?: Record<string, string> | undefined
  /** Purpose of the call; images wait for items when the day's quota runs low. */
  job: CallJob
  runId?: string | undefined
  /** False for calls outside an organization: `/organizations` and CRM. */
  organization?: boolean
  headers?: Record<string, string>
  /**
   * A form to post; without one the call only reads. It is posted again on a retry, so posting it
   * twice must have the same effect as once.
   */
  form?: FormData
  /**
   * The token was issued just now: a refusal is about scopes, and requesting another would only use
   * up one of ten.
   */
  freshToken?: boolean
  /** False: the call is made even while the circuit is open. */
  useBreaker?: boolean | undefined
}

export interface ZohoJson {
  body: Record<string, unknown>
  /** The body as Zoho sent it. */
  text: string
  status: number
  /** Zoho's clock; null when the response had no Date header. */
  at: Date | null
}

export interface ZohoBytes {
  body: Readable
  contentLength: number | null
  /** Tells the rate limiter that the transfer has ended; must be called once. */
  done(): Promise<void>
}

export type ZohoClient = ReturnType<typeof createZohoClient>

const MAX_JSON_BYTES = 32 * 1024 * 1024
const ATTEMPTS = 5
/**
 * A reset time further away than this is not Zoho's: trusting it would stop all calls for that
 * long.
 */
const LONGEST_DAY_SECONDS = 48 * 3_600
/** After 1070 (too many concurrent calls) the other calls need a moment to end. */
const IN_PROCESS_PAUSE_MS = 1_000
/**
 * True for HTML or JSON where an image was requested; no image format that zinc accepts begins so.
 * SVG is checked, and refused, like an image.
 */
const isPage = (start: Buffer): boolean => /^[\s\ufeff]*(?:[{[]|<(?!svg\b|\?xml))/i.test(start.toString('utf8', 0, 512))

export function createZohoClient({
  apiUrl,
  organizationId,
  timeZone: knownZone,
  tokens,
  rateLimiter,
  clock,
  dispatcher,
  circuitBreaker,
  timeLimits = TIME_LIMITS,
}: ZohoClientDeps) {
  const { idleMs, jsonMs, imageMs } = timeLimits
  let serverTime: Date | null = null
  let timeZone = knownTimeZone(knownZone)
  /** Sends one permitted and authorised request; the caller checks the body and calls `done`. */
  async function send(call: ZohoCall, signal: AbortSignal, { refused, wholeMs }: { refused: string | undefined; wholeMs: number }) {
    const token = await tokens.current(refused)
    const lease = await rateLimiter.acquire({ job: call.job, path: call.path, runId: call.runId }, signal)
    const started = performance.now()
    const url = new URL(call.path, apiUrl)
    for (const [key, value] of Object.entries(call.query ?? {})) url.searchParams.set(key, value)
    if (call.organization !== false && organizationId !== null) url.searchParams.set('organization_id', organizationId)
    let result: CallResult = { status: null, code: 'unreachable', ms: 0 }
    let reported = false
    const done = async (code: string | null = result.code) => {
      if (reported) return
      reported = true
      await lease.done({ ...result, code, ms: Math.round(performance.now() - started) })
    }
    try {
      const method = call.form ? 'POST' : 'GET'
      const attributes = {
        'http.request.method': method,
        'server.address': url.hostname,
        'url.path': url.pathname,
        'zinc.purpose': call.job,
      }
      const reply = await inSpan(`Zoho ${method}`, { kind: 'client', attributes }, async (span) => {
        const response = await request(url, {
          dispatcher,
          ...(call.form && { method: 'POST', body: call.form }),
          signal: AbortSignal.any([signal, AbortSignal.timeout(wholeMs)]),
          headers: { ...call.headers, authorization: `Zoho-oauthtoken ${token}`, 'accept-encoding': 'identity' },
          headersTimeout: idleMs,
          bodyTimeout: idleMs,
        })
        span.setAttribute('http.response.status_code', response.statusCode)
        return response
      })
      if (typeof reply.headers.date === 'string' && !Number.isNaN(Date.parse(reply.headers.date))) serverTime = new Date(reply.headers.date)
      const header = (name: string) => wholeNumber(reply.headers[name])
      const resetSeconds = header('x-rate-limit-reset')
      result = {
        status: reply.statusCode,
        code: null,
        ms: 0,
        dayLimit: header('x-rate-limit-limit'),
        dayLeft: header('x-rate-limit-remaining'),
        dayResetsAt:
          resetSeconds === undefined || resetSeconds > LONGEST_DAY_SECONDS
            ? undefined
            : new Date(clock.now().getTime() + resetSeconds * 1000),
        retryAfterSeconds: header('retry-after'),
      }
      return { reply, token, done }
    } catch (cause) {
      await done(isLate(cause) ? 'timeout' : 'unreachable')
      signal.throwIfAborted()
      throw isLate(cause) ? tooLate(cause) : new Fault('unreachable', message('unreachable'), { cause })
    }
  }

  /**
   * Retries temporary failures, a bounded number of times with growing pauses. Errors that need a
   * person or a new day are thrown immediately.
   */
  async function withRetry<T>(call: ZohoCall, signal: AbortSignal, attempt: (refused?: string) => Promise<T>): Promise<T> {
    let refused: string | undefined
    const about = { path: call.path, useBreaker: call.useBreaker ?? true, signal, classifyResponse: outcomeOf }
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted()
      try {
        return await (circuitBreaker ? circuitBreaker.execute(() => attempt(refused), about) : attempt(refused))
      } catch (error) {
        if (error instanceof TokenRejectedError) {
          // 57 means "expired" or "no scope", and Zoho also sends it at random: get a new token
          // first, then retry after pauses.
          if (call.freshToken || tries >= ATTEMPTS) throw notAuthorized(error.code, call.path)
          if (refused !== undefined) await clock.sleep(500 * 2 ** (tries - 2) * (0.75 + Math.random() / 2), signal)
          refused ??= error.token
          continue
        }
        if (!(error instanceof Fault)) throw error
        // Rate limits are left to the rate limiter: it holds all calls back, and no call fails for
        // it.
        if (!LIMIT_CODES.has(error.code) && tries >= ATTEMPTS) {
          throw new ZohoUnavailableError(
            inEnglish(messageAs(errorCodeOf(error.code), 'unanswered', { tries, why: error.why, ...zohoDetail(error.code) })),
            { cause: error },
          )
        }
        if (error.code === '1070') await clock.sleep(IN_PROCESS_PAUSE_MS * (1 + Math.random() * 2), signal)
        else if (!LIMIT_CODES.has(error.code)) await clock.sleep(500 * 2 ** (tries - 1) * (0.75 + Math.random() / 2), signal)
      }
    }
  }

  return {
    organizationId,

    /**
     * Zoho's clock as of its last response; null before the first one, or when it sends no Date
     * header.
     */
    serverTime: () => serverTime,
    /** Times that Zoho sends without an offset are on this zone's clock. */
    timeZone: () => timeZone,
    setTimeZone(zone: string | null) {
      timeZone = knownTimeZone(zone)
    },

    /**
     * Returns the parsed body of a JSON response and its text as Zoho sent it. Throws
     * QuotaExceededError, ConfigurationError, ZohoNotFoundError, ZohoRequestError,
     * ZohoUnavailableError.
     */
    async json(call: ZohoCall, signal: AbortSignal): Promise<ZohoJson> {
      return withRetry(call, signal, async (refused) => {
        const { reply, token, done } = await send(call, signal, { refused, wholeMs: jsonMs })
        let code: string | null = null
        try {
          const text = await readText(reply.body, signal)
          const at = typeof reply.headers.date === 'string' ? new Date(reply.headers.date) : null
          // CRM: no records, or none newer than If-Modified-Since.
          if (reply.statusCode === 204 || reply.statusCode === 304) return { body: {}, text: '', status: reply.statusCode, at }
          const body = parseZohoJson(text)
          code = codeOf(body)
          if (reply.statusCode < 300 && body && (code === null || code === '0')) return { body, text, status: reply.statusCode, at }
          const crmPauseMs = CRM_LIMITS.get(code ?? '')
          if (code !== null && crmPauseMs !== undefined) {
            const resetsAt = new Date(clock.now().getTime() + crmPauseMs)
            const facts = { resets_at: resetsAt.toISOString(), ...zohoDetail(code) }
            throw new RateLimitedError(messageAs(errorCodeOf(code), 'crm_limit', facts), resetsAt)
          }
          throw classifyResponse(call.path, reply.statusCode, code, body, token)
        } catch (error) {
          if (error instanceof Fault) code ??= error.code
          throw error
        } finally {
          await done(code === '0' ? null : code)
        }
      })
    },

    /**
     * Returns bytes, for example of an image. A 404, 204, two empty responses or a JSON body that
     * says so mean that there are none: it throws ZohoNotFoundError.
     */
    async bytes(call: ZohoCall, signal: AbortSignal): Promise<ZohoBytes> {
      let emptyResponses = 0
      return withRetry(call, signal, async (refused) => {
        const { reply, token, done } = await send(call, signal, { refused, wholeMs: imageMs })
        try {
          const chunks = reply.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
          const read = () => chunks.next().catch((cause: Error) => brokenOff(cause, signal))
          const first = await read()
          const start = first.done ? Buffer.alloc(0) : first.value
          if (reply.statusCode === 204) throw new ZohoNotFoundError('not_found_in_zoho.image')
          if (reply.statusCode === 200 && start.length === 0 && reply.headers['content-length'] === '0') {
            // Once it may be a gateway in trouble; Zoho itself says it again.
            if (++emptyResponses > 1) throw new ZohoNotFoundError('not_found_in_zoho.image')
            throw new Fault('no_image_bytes', message('answer_not_image'))
          }
          if (reply.statusCode !== 200 || isPage(start)) {
            const rest: Buffer[] = [start]
            for (let size = start.length; size < 64 * 1024; ) {
              const next = await read()
              if (next.done) break
              rest.push(next.value)
              size += next.value.length
            }
            const body = parseZohoJson(Buffer.concat(rest).toString('utf8'))
            const code = codeOf(body)
            if (reply.statusCode === 404 || (reply.statusCode === 200 && body && ['1002', '2006'].includes(code ?? '')))
              throw new ZohoNotFoundError('not_found_in_zoho.image')
            // HTTP 200 with an HTML page, or with JSON that says neither success nor failure, says
            // nothing about the image.
            if (reply.statusCode === 200 && (body === null || code === null || code === '0'))
              throw new Fault('no_image_bytes', message('answer_not_image'))
            const error = classifyResponse(call.path, reply.statusCode, code, body, token)
            await done(code)
            throw error
          }
          const contentLength = reply.headers['content-length'] === undefined ? null : Number(reply.headers['content-length'])
          async function* all() {
            yield start
            for (;;) {
              const next = await chunks.next()
              if (next.done) return
              yield next.value
            }
          }
          const body = Readable.from(all(), { objectMode: false })
          // A reader that stops early closes the response here: otherwise the connection would stay
          // open with all that the sender still wants to send.
          body.once('close', () => reply.body.on('error', () => {}).destroy())
          return { body, contentLength, done: () => done() }
        } catch (error) {
          await done(error instanceof Fault ? error.code : undefined)
          reply.body.destroy()
          throw error
        }
      })
    },
  }
}

/** A header as a whole number; undefined when it is missing or has no plausible number. */
function wholeNumber(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : undefined
}

/** Throws for a body that did not come to its end. */
function brokenOff(cause: unknown, signal: AbortSignal): never {
  signal.throwIfAborted()
  throw isLate(cause) ? tooLate(cause) : new Fault('cut', message('answer_cut'), { cause })
}

async function readText(body: Dispatcher.ResponseData['body'], signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_JSON_BYTES) {
        body.destroy()
        throw new Fault('too_large', message('answer_endless'))
      }
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    brokenOff(cause, signal)
  }
  const bytes = Buffer.concat(chunks)
  // Decoded leniently, a wrong charset would put replacement characters into the names of the shop.
  if (!isUtf8(bytes)) throw new Fault('not_utf8', message('answer_not_utf8'))
  return bytes.toString('utf8')
}
