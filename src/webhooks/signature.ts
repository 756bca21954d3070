import { createHmac, randomBytes } from 'node:crypto'

const SECRET_START = 'whsec_'
const SECRET_BYTES = 32

/** In the format of the Standard Webhooks specification. */
export const newWebhookSecret = (): string => SECRET_START + randomBytes(SECRET_BYTES).toString('base64')

/**
 * Returns the headers of one attempt by the Standard Webhooks specification: one signature for each
 * valid secret.
 */
export function signatureHeaders(secrets: string[], { id, at, body }: { id: string; at: Date; body: string }): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_START.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}
