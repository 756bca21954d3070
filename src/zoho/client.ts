import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import { type Dispatcher, type FormData, request } from 'undici'
import type { Clock } from '../lib/clock.ts'
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
import { parseZohoJson } from './schemas.ts'

export interface ZohoClientDeps {
  apiUrl: string
  /** Null before one is chosen: only calls that need none may be made. */
  organizationId: string | null
  tokens: { current(refused?: string): Promise<string> }
  rateLimiter: RateLimiter
  clock: Clock
  dispatcher: Dispatcher
  /** Shared by all clients of the process; a test of the connection has none, since a person wants to know how it stands now. */
  circuitBreaker?: CircuitBreaker | undefined
  timeLimits?: TimeLimits | undefined
}

/** How long one try may take. */
export interface TimeLimits {
  /** Until an answer begins, and between two pieces of it. */
  idleMs: number
  /** A sender that drips a byte a second never meets the idle time, so each kind of answer has a whole time, too. */
  jsonMs: number
  imageMs: number
  signInMs: number
}

export const TIME_LIMITS: TimeLimits = { idleMs: 15_000, jsonMs: 60_000, imageMs: 120_000, signInMs: SIGN_IN_MS }

export interface ZohoCall {
  /** With the product, e.g. `/inventory/v1/items`. */
  path: string
  query?: Record<string, string> | undefined
  /** What it is for; pictures wait behind items when the day runs short. */
  job: CallJob
  runId?: string | undefined
  /** False for what is no organisation's: `/organizations` and CRM. */
  organization?: boolean
  headers?: Record<string, string>
  /** A form to post; without one the call only reads. Asked again after a fault, it is posted again: what it sets must be the same twice. */
  form?: FormData
  /** The token was made just now: a refusal is about scopes, and asking for another would only use up one of ten. */
  freshToken?: boolean
  /** False: made even while Zoho is known not to answer. */
  useBreaker?: boolean | undefined
}

export interface ZohoJson {
  body: Record<string, unknown>
  /** The body as Zoho sent it. */
  text: string
  status: number
  /** Zoho's clock; null when the reply had no Date. */
  at: Date | null
}

export interface ZohoBytes {
  body: Readable
  contentLength: number | null
  /** Tells the budget that the transfer is over; must be called once. */
  done(): Promise<void>
}

export type ZohoClient = ReturnType<typeof createZohoClient>

const MAX_JSON_BYTES = 32 * 1024 * 1024
const ATTEMPTS = 5
/** A reset further away than this was not Zoho's: believed, it would stop all calls for as long. */
const LONGEST_DAY_SECONDS = 48 * 3_600
/** After 1070, too many calls under way: the others need a moment to end. */
const IN_PROCESS_PAUSE_MS = 1_000
/** A page or JSON where an image was asked for; no image format that zinc takes begins so. SVG is judged, and refused, like an image. */
const isPage = (start: Buffer): boolean => /^[\s\ufeff]*(?:[{[]|<(?!svg\b|\?xml))/i.test(start.toString('utf8', 0, 512))

export function createZohoClient({
  apiUrl,
  organizationId,
  tokens,
  rateLimiter,
  clock,
  dispatcher,
  circuitBreaker,
  timeLimits = TIME_LIMITS,
}: ZohoClientDeps) {
  const { idleMs, jsonMs, imageMs } = timeLimits
  let serverTime: Date | null = null
  /** One permitted, authorised request; the caller judges the body and calls `done`. */
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
      const reply = await request(url, {
        dispatcher,
        ...(call.form && { method: 'POST', body: call.form }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(wholeMs)]),
        headers: { ...call.headers, authorization: `Zoho-oauthtoken ${token}`, 'accept-encoding': 'identity' },
        headersTimeout: idleMs,
        bodyTimeout: idleMs,
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

  /** Repeats what may pass by itself, a bounded number of times with growing pauses; what needs a person or a new day is thrown at once. */
  async function withRetry<T>(call: ZohoCall, signal: AbortSignal, attempt: (refused?: string) => Promise<T>): Promise<T> {
    let refused: string | undefined
    const about = { path: call.path, useBreaker: call.useBreaker ?? true, signal, classifyResponse: outcomeOf }
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted()
      try {
        return await (circuitBreaker ? circuitBreaker.execute(() => attempt(refused), about) : attempt(refused))
      } catch (error) {
        if (error instanceof TokenRejectedError) {
          // 57 is both "expired" and "no scope", and Zoho also gives it at random: a new token first, then the same call after pauses.
          if (call.freshToken || tries >= ATTEMPTS) throw notAuthorized(error.code, call.path)
          if (refused !== undefined) await clock.sleep(500 * 2 ** (tries - 2) * (0.75 + Math.random() / 2), signal)
          refused ??= error.token
          continue
        }
        if (!(error instanceof Fault)) throw error
        // A limit is the budget's business: it holds all calls back, and none is dropped for it.
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

    /** Zoho's clock as its last response told it; null before the first one, or when it sends no Date. */
    serverTime: () => serverTime,

    /** A JSON answer: the parsed body and the text as Zoho sent it. Throws QuotaExceededError, ConfigurationError, ZohoNotFoundError, ZohoRequestError, ZohoUnavailableError. */
    async json(call: ZohoCall, signal: AbortSignal): Promise<ZohoJson> {
      return withRetry(call, signal, async (refused) => {
        const { reply, token, done } = await send(call, signal, { refused, wholeMs: jsonMs })
        let code: string | null = null
        try {
          const text = await readText(reply.body, signal)
          const at = typeof reply.headers.date === 'string' ? new Date(reply.headers.date) : null
          // CRM: nothing there, and nothing newer than If-Modified-Since.
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

    /** Bytes, e.g. of a picture. A JSON body or a 404 instead means that there are none (ZohoNotFoundError). */
    async bytes(call: ZohoCall, signal: AbortSignal): Promise<ZohoBytes> {
      return withRetry(call, signal, async (refused) => {
        const { reply, token, done } = await send(call, signal, { refused, wholeMs: imageMs })
        try {
          const chunks = reply.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
          const read = () => chunks.next().catch((cause: Error) => brokenOff(cause, signal))
          const first = await read()
          const start = first.done ? Buffer.alloc(0) : first.value
          if (reply.statusCode === 204 || (reply.statusCode === 200 && start.length === 0 && reply.headers['content-length'] === '0'))
            throw new ZohoNotFoundError('not_found_in_zoho.picture')
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
              throw new ZohoNotFoundError('not_found_in_zoho.picture')
            // HTTP 200 with a page, or with JSON that says neither yes nor no, tells nothing about the image.
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
          // Whoever has had enough of it ends it here: else the sender's connection stood open, with all that it still wants to send.
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

/** A header that counts; undefined when it is missing or no number that a reply can mean. */
function wholeNumber(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : undefined
}

/** A body that did not come to its end. */
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
  // Read leniently, a wrong charset would put replacement marks into the names of the shop.
  if (!isUtf8(bytes)) throw new Fault('not_utf8', message('answer_not_utf8'))
  return bytes.toString('utf8')
}
