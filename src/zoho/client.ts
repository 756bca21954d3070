import { Readable } from 'node:stream'
import { type Dispatcher, type FormData, request } from 'undici'
import type { Clock } from '../clock.ts'
import type { CallBudget, CallResult } from './budget.ts'
import { CallRefused, HeldBack, NeedsPerson, NothingThere, ZohoAway } from './failures.ts'
import { parseZohoJson } from './wire.ts'

export interface ZohoClientDeps {
  apiUrl: string
  /** Null before one is chosen: only calls that need none may be made. */
  organizationId: string | null
  tokens: { current(refused?: string): Promise<string> }
  budget: CallBudget
  clock: Clock
  dispatcher: Dispatcher
}

export interface ZohoCall {
  /** With the product, e.g. `/inventory/v1/items`. */
  path: string
  query?: Record<string, string> | undefined
  /** What it is for; pictures wait behind items when the day runs short. */
  job: string
  runId?: string | undefined
  /** False for what is no organisation's: `/organizations` and CRM. */
  organization?: boolean
  headers?: Record<string, string>
  /** A form to post; without one the call only reads. Asked again after a fault, it is posted again: what it sets must be the same twice. */
  form?: FormData
  /** The token was made just now: a refusal is about scopes, and asking for another would only use up one of ten. */
  freshToken?: boolean
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
/** After 1070, too many calls under way: the others need a moment to end. */
const IN_PROCESS_PAUSE_MS = 1_000
/** Idle times; a sender that drips a byte a second never meets them, so there is a whole time too. */
const TIMEOUTS = { headersTimeout: 15_000, bodyTimeout: 15_000 }
const WHOLE_JSON_MS = 60_000
const WHOLE_PICTURE_MS = 120_000
/** A JSON answer where bytes were asked for is short; a picture is not read this far to find out. */
const JSON_START = 0x7b

/** One answer that was not usable; `again` says whether asking again can help. */
class Fault extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export function createZohoClient({ apiUrl, organizationId, tokens, budget, clock, dispatcher }: ZohoClientDeps) {
  /** One permitted, authorised request; the caller judges the body and calls `done`. */
  async function send(call: ZohoCall, signal: AbortSignal, { refused, wholeMs }: { refused: string | undefined; wholeMs: number }) {
    const token = await tokens.current(refused)
    const permit = await budget.acquire({ job: call.job, path: call.path, runId: call.runId }, signal)
    const started = performance.now()
    const url = new URL(call.path, apiUrl)
    for (const [key, value] of Object.entries(call.query ?? {})) url.searchParams.set(key, value)
    if (call.organization !== false && organizationId !== null) url.searchParams.set('organization_id', organizationId)
    let result: CallResult = { status: null, code: 'unreachable', ms: 0 }
    let told = false
    const done = async (code: string | null = result.code) => {
      if (told) return
      told = true
      await permit.done({ ...result, code, ms: Math.round(performance.now() - started) })
    }
    try {
      const reply = await request(url, {
        dispatcher,
        ...(call.form && { method: 'POST', body: call.form }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(wholeMs)]),
        headers: { ...call.headers, authorization: `Zoho-oauthtoken ${token}`, 'accept-encoding': 'identity' },
        ...TIMEOUTS,
      })
      const header = (name: string) => {
        const value = Number(reply.headers[name])
        return Number.isFinite(value) && reply.headers[name] !== undefined ? value : undefined
      }
      result = {
        status: reply.statusCode,
        code: null,
        ms: 0,
        dayLimit: header('x-rate-limit-limit'),
        dayLeft: header('x-rate-limit-remaining'),
        dayResetSeconds: header('x-rate-limit-reset'),
        retryAfterSeconds: header('retry-after'),
      }
      return { reply, token, done }
    } catch (cause) {
      await done('unreachable')
      signal.throwIfAborted()
      throw new Fault('unreachable', 'Zoho cannot be reached', { cause })
    }
  }

  /** Repeats what may pass by itself, a bounded number of times with growing pauses; what needs a person or a new day is thrown at once. */
  async function persist<T>(call: ZohoCall, signal: AbortSignal, attempt: (refused?: string) => Promise<T>): Promise<T> {
    let refused: string | undefined
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted()
      try {
        return await attempt(refused)
      } catch (error) {
        if (error instanceof TokenRefused) {
          // 57 is both "expired" and "no scope": a fresh token tells them apart, a third try would not.
          if (refused !== undefined || call.freshToken) throw notAuthorized(error.code, call.path)
          refused = error.token
          continue
        }
        if (!(error instanceof Fault)) throw error
        // A limit is the budget's business: it holds all calls back, and none is dropped for it.
        if (!LIMIT_CODES.has(error.code) && tries >= ATTEMPTS) {
          throw new ZohoAway(error.code, `Zoho did not answer properly after ${tries} tries: ${error.message}`, {
            cause: error,
            remedy: 'zinc tries again at the next sync. If it stays, see status.zoho.com.',
          })
        }
        if (error.code === '1070') await clock.sleep(IN_PROCESS_PAUSE_MS * (1 + Math.random() * 2), signal)
        else if (!LIMIT_CODES.has(error.code)) await clock.sleep(500 * 2 ** (tries - 1) * (0.75 + Math.random() / 2), signal)
      }
    }
  }

  return {
    organizationId,

    /** A JSON answer: the parsed body and the text as Zoho sent it. Throws DayQuotaSpent, NeedsPerson, NothingThere, CallRefused, ZohoAway. */
    async json(call: ZohoCall, signal: AbortSignal): Promise<ZohoJson> {
      return persist(call, signal, async (refused) => {
        const { reply, token, done } = await send(call, signal, { refused, wholeMs: WHOLE_JSON_MS })
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
          if (crmPauseMs !== undefined)
            throw new HeldBack(code ?? '', "Zoho CRM's limit is reached", new Date(clock.now().getTime() + crmPauseMs))
          throw judge(call, reply.statusCode, code, body, token)
        } catch (error) {
          if (error instanceof Fault) code ??= error.code
          throw error
        } finally {
          await done(code === '0' ? null : code)
        }
      })
    },

    /** Bytes, e.g. of a picture. A JSON body or a 404 instead means that there are none (NothingThere). */
    async bytes(call: ZohoCall, signal: AbortSignal): Promise<ZohoBytes> {
      return persist(call, signal, async (refused) => {
        const { reply, token, done } = await send(call, signal, { refused, wholeMs: WHOLE_PICTURE_MS })
        try {
          const chunks = reply.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
          const first = await chunks.next().catch((cause: Error) => {
            signal.throwIfAborted()
            throw new Fault('cut', 'the answer broke off', { cause })
          })
          const start = first.done ? Buffer.alloc(0) : first.value
          if (reply.statusCode === 204 || (reply.statusCode === 200 && start.length === 0 && reply.headers['content-length'] === '0'))
            throw new NothingThere('picture')
          if (reply.statusCode !== 200 || start[0] === JSON_START) {
            const rest: Buffer[] = [start]
            for (let size = start.length; size < 64 * 1024; ) {
              const next = await chunks.next()
              if (next.done) break
              rest.push(next.value)
              size += next.value.length
            }
            const body = parseZohoJson(Buffer.concat(rest).toString('utf8'))
            const code = codeOf(body)
            if (reply.statusCode === 404 || (reply.statusCode === 200 && body && (code === null || ['0', '1002', '2006'].includes(code))))
              throw new NothingThere('picture')
            const fault = judge(call, reply.statusCode, code, body, token)
            await done(code)
            throw fault
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
          return { body: Readable.from(all(), { objectMode: false }), contentLength, done: () => done() }
        } catch (error) {
          await done()
          reply.body.destroy()
          throw error
        }
      })
    },
  }
}

class TokenRefused extends Error {
  readonly code: string
  readonly token: string
  constructor(code: string, token: string) {
    super('the token is refused')
    this.code = code
    this.token = token
  }
}

/** Minute, day and calls in flight: the budget knows of them by then and holds the next call back until there is room (or throws DayQuotaSpent). */
const LIMIT_CODES = new Set(['43', '44', '45', '1070', '429'])
/** Statuses that say that the call itself is wrong, also without JSON. */
const REFUSALS = new Set([400, 405, 413, 414])
const TOKEN_CODES = new Set(['14', '57', 'INVALID_TOKEN', 'AUTHENTICATION_FAILURE'])
/** CRM says plainly what 57 leaves open. */
const SCOPE_CODES = new Set(['OAUTH_SCOPE_MISMATCH', 'NO_PERMISSION'])
/** CRM's own limits are credits of a rolling day and calls at once; they come without a time. */
const CRM_LIMITS = new Map([
  ['TOO_MANY_REQUESTS', 60_000],
  ['LIMIT_EXCEEDED', 60 * 60_000],
])

function notAuthorized(code: string, path: string): NeedsPerson {
  return new NeedsPerson(code, 'Zoho does not allow this: a scope or a permission is missing', {
    detail: { path },
    remedy:
      'Connect to Zoho again with every scope of the line that GET /api/settings/integrations/zoho/scopes shows, and check the data centre. POST /api/settings/integrations/zoho/test names the scope that is missing.',
  })
}

/** What an answer that is no success means. Zoho's codes count more than the status: errors come with HTTP 200 too. */
function judge(call: ZohoCall, status: number, code: string | null, body: Record<string, unknown> | null, token: string): Error {
  if (code !== null && LIMIT_CODES.has(code)) return new Fault(code, 'a limit of Zoho')
  if (code !== null && SCOPE_CODES.has(code)) return notAuthorized(code, call.path)
  if (status === 401 || (code !== null && TOKEN_CODES.has(code))) return new TokenRefused(code ?? '401', token)
  if (code === '6041') {
    return new NeedsPerson('6041', 'Zoho does not know this organisation, or the account does not belong to it', {
      remedy:
        'Choose one of GET /api/settings/integrations/zoho/organizations, or check ZOHO_ORGANIZATION_ID; Zoho shows it under Settings → Organization Profile.',
    })
  }
  if (code === '1002' || code === '2006') return new NothingThere('such record')
  if (status === 429) return new Fault('429', 'a limit of Zoho')
  const refused = REFUSALS.has(status)
  if (status >= 500 || code === '1000' || (body === null && !refused))
    return new Fault(
      code ?? (body === null ? 'not_json' : `http_${status}`),
      body === null ? 'not JSON (a page, or cut)' : `HTTP ${status}`,
    )
  const message = typeof body?.message === 'string' ? body.message.slice(0, 200) : `HTTP ${status}`
  return new CallRefused(code ?? `http_${status}`, `Zoho refuses the call: ${message}`, {
    detail: { path: call.path },
    remedy: 'This is likely an error of zinc or a change at Zoho. Nothing was changed; the log of calls shows it.',
  })
}

async function readText(body: Dispatcher.ResponseData['body'], signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_JSON_BYTES) {
        body.destroy()
        throw new Fault('too_large', 'the answer does not end')
      }
      chunks.push(chunk)
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof Fault) throw cause
    throw new Fault('cut', 'the answer broke off', { cause })
  }
  return Buffer.concat(chunks).toString('utf8')
}

const codeOf = (body: Record<string, unknown> | null): string | null =>
  typeof body?.code === 'number' || typeof body?.code === 'string' ? String(body.code) : null
