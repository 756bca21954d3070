import { createPublicKey, hash, verify } from 'node:crypto'

/** Verifies an Ed25519 signature of head office; `key` is its public key in base64url. */
function isSigned(key: string, text: string, signature: string): boolean {
  try {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key }, format: 'jwk' })
    return verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64url'))
  } catch {
    return false
  }
}

/** Whether head office sent this body as the page of a store's list after that cursor. */
export const isSignedList = (key: string, storeId: string, cursor: string, body: string, signature: string): boolean =>
  isSigned(key, `zinc-list-1\n${storeId}\n${cursor}\n${hash('sha256', body)}`, signature)

/** Whether head office itself says that it has moved to this address. */
export const isSignedForward = (key: string, storeId: string, server: string, signature: string): boolean =>
  isSigned(key, `zinc-forward-1\n${storeId}\n${server}`, signature)
