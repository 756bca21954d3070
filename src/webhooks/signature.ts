import { createHmac, randomBytes } from 'node:crypto'

const SECRET_START = 'whsec_'
const SECRET_BYTES = 32

/** As the Standard Webhooks specification writes secrets. */
export const newWebhookSecret = (): string => SECRET_START + randomBytes(SECRET_BYTES).toString('base64')

/** The headers of one attempt by the Standard Webhooks specification: one signature for each secret that counts. */
export function signatureHeaders(secrets: string[], { id, at, body }: { id: string; at: Date; body: string }): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_START.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}
