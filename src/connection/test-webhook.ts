import { type Dispatcher, request } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { ConflictError } from '../lib/errors.ts'
import { sign } from './webhook-signature.ts'

export const WEBHOOK_SIGNATURE = 'x-zoho-webhook-signature'
/** Marks the body of a test, in place of an item. */
const TEST_MARK = 'zinc_test'
const TIMEOUT_MS = 10_000

export interface WebhookTest {
  ok: boolean
  status: number | null
  ms: number
  /** network: no answer; not_zinc: another server answered; refused: zinc refused it. */
  problem: 'network' | 'not_zinc' | 'refused' | null
}

export const isTestNotification = (body: string): boolean => {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'object' && parsed !== null && TEST_MARK in parsed
  } catch {
    return false
  }
}

/**
 * Sends a signed webhook to the URL that Zoho is given, on the way that Zoho's would come. Throws
 * ConflictError `no_webhook_secret`.
 */
export async function testWebhook(
  { dispatcher, clock }: { dispatcher: Dispatcher; clock: Clock },
  { url, secret }: { url: string; secret: string | null },
): Promise<WebhookTest> {
  if (secret === null) throw new ConflictError('no_webhook_secret')
  const body = JSON.stringify({ [TEST_MARK]: clock.now().toISOString() })
  const began = performance.now()
  const ms = () => Math.round(performance.now() - began)
  try {
    const reply = await request(url, {
      method: 'POST',
      dispatcher,
      headers: { 'content-type': 'application/json', [WEBHOOK_SIGNATURE]: sign(secret, body) },
      body,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const response = await reply.body.text().catch(() => '')
    const ok = reply.statusCode === 202
    const ours = response.startsWith('{"status":')
    return { ok: ok && ours, status: reply.statusCode, ms: ms(), problem: ok && ours ? null : ours ? 'refused' : 'not_zinc' }
  } catch {
    return { ok: false, status: null, ms: ms(), problem: 'network' }
  }
}
