import { request } from 'undici'
import { BadRequestError } from '../lib/errors.ts'
import type { GuardedAgents } from '../lib/ssrf-guard.ts'
import type { DeliveryAttempt } from '../schemas/webhooks.ts'

const TIMEOUT_MS = 15_000
const REPLY_BYTES = 1_024

/** The same error for every refused URL, when it is stored and on connecting. */
export const webhookUrlBlocked = (): BadRequestError => new BadRequestError('webhook_url_blocked')

/** Throws BadRequestError `webhook_url_blocked`. */
export async function refuseBlockedUrl(agents: GuardedAgents, url: string): Promise<void> {
  if (!(await agents.mayReach(new URL(url)))) throw webhookUrlBlocked()
}

export interface Sending {
  agents: GuardedAgents
  url: string
  headers: Record<string, string>
  body: string
  at: Date
  signal: AbortSignal
}

/** Makes one attempt. Rejects only when `signal` aborts; redirects are not followed. */
export async function sendOnce({ agents, url, headers, body, at, signal }: Sending): Promise<DeliveryAttempt> {
  const began = performance.now()
  const deadline = AbortSignal.timeout(TIMEOUT_MS)
  let status: number | null = null
  let reply: string | null = null
  let error: string | null = null
  try {
    const target = new URL(url)
    if (!agents.mayConnect(target)) throw webhookUrlBlocked()
    const response = await request(target, {
      method: 'POST',
      dispatcher: agents.dispatcherOf(target),
      headers: { 'content-type': 'application/json', 'user-agent': 'zinc-webhooks', ...headers },
      body,
      signal: AbortSignal.any([signal, deadline]),
    })
    status = response.statusCode
    reply = await firstOf(response.body)
    if (status < 200 || status > 299) error = `http_${status}`
  } catch (cause) {
    signal.throwIfAborted()
    // A partial response counts: the receiver has the message.
    if (status === null || status > 299) error = errorOf(cause, deadline)
  }
  return { at: at.toISOString(), status, ms: Math.round(performance.now() - began), error, reply }
}

async function firstOf(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    parts.push(part)
    size += part.length
    if (size >= REPLY_BYTES) break
  }
  // PostgreSQL's JSON accepts no NUL.
  return Buffer.concat(parts).subarray(0, REPLY_BYTES).toString('utf8').replaceAll('\0', '\uFFFD')
}

/**
 * The same for everything that could not be reached, so that it does not reveal what listens behind
 * a URL.
 */
function errorOf(cause: unknown, deadline: AbortSignal): string {
  if (cause instanceof BadRequestError) return cause.code
  return deadline.aborted ? 'timeout' : 'unreachable'
}
