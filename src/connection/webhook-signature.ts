import { createHmac } from 'node:crypto'
import { timingSafeEqualStrings } from '../lib/timing-safe-equal.ts'

export interface SignedRequest {
  /** The header X-Zoho-Webhook-Signature. */
  signature: string
  /** The body, byte for byte. */
  body: Buffer
  isJson: boolean
  /** Of the query and of a form body, decoded. */
  parameters: [string, string][]
}

/**
 * Returns the part of a webhook that was signed with the secret, null for none: HMAC-SHA256, in
 * either of the two ways of Zoho's documentation. Hex over the body; or Base64 over the parameters,
 * sorted by name, name and value joined, followed by a JSON body.
 */
export function verifySignature(
  secret: string,
  { signature, body, isJson, parameters }: SignedRequest,
): 'body' | 'parameters and body' | null {
  const given = signature.trim().replace(/^sha256=/i, '')
  const sorted = [...parameters]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .flat()
    .join('')
  const messages = [
    ['body', body],
    ['parameters and body', Buffer.concat([Buffer.from(sorted), isJson ? body : Buffer.alloc(0)])],
  ] as const
  const match = messages.find(([, message]) => {
    const mac = createHmac('sha256', secret).update(message).digest()
    return timingSafeEqualStrings(given.toLowerCase(), mac.toString('hex')) || timingSafeEqualStrings(given, mac.toString('base64'))
  })
  return match?.[0] ?? null
}

/** Returns the signature of a JSON body in the hex form. */
export const sign = (secret: string, body: string): string => createHmac('sha256', secret).update(body).digest('hex')
