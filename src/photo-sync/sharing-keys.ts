import { createHmac, createPrivateKey, createPublicKey, hash, hkdfSync, type KeyObject, sign } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { FeedStore } from './change-feed.ts'

/** PKCS #8 of an Ed25519 private key, up to its 32 bytes (RFC 8410). */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const KEPT = 1_000

export type SharingKeys = ReturnType<typeof createSharingKeys>

/**
 * Keys by which the edge servers of a store share photos (docs/edge-sharing.md). They are derived
 * from the newest key of the ring, so nothing secret is stored: `peer_key` changes with each
 * revoked token of the store, and both change when that key is replaced.
 */
export function createSharingKeys([newest]: Buffer[]) {
  if (!newest) throw new Error('The key ring is empty')
  const signing = new LRUCache<string, { key: KeyObject; publicKey: string }>({ max: KEPT })

  function signingKey(storeId: string): { key: KeyObject; publicKey: string } {
    const known = signing.get(storeId)
    if (known) return known
    const seed = Buffer.from(hkdfSync('sha256', newest!, '', `zinc list signing key ${storeId}`, 32))
    const key = createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: 'der', type: 'pkcs8' })
    const publicKey = String(createPublicKey(key).export({ format: 'jwk' }).x)
    const made = { key, publicKey }
    signing.set(storeId, made)
    return made
  }
  const signed = (storeId: string, text: string): string => sign(null, Buffer.from(text), signingKey(storeId).key).toString('base64url')

  return {
    /** `data.edge.sharing` of the list. */
    settings: ({ id, peer_key_version }: FeedStore) => ({
      peer_key: createHmac('sha256', newest).update(`zinc peer key ${id} ${peer_key_version}`).digest('base64url'),
      signing_key: signingKey(id).publicKey,
    }),
    /** Signs the body of a list response together with what was asked. */
    signList: (storeId: string, cursor: string, body: Buffer): string =>
      signed(storeId, `zinc-list-1\n${storeId}\n${cursor}\n${hash('sha256', body)}`),
    /** Signs the new address of head office. */
    signForward: (storeId: string, server: string): string => signed(storeId, `zinc-forward-1\n${storeId}\n${server}`),
  }
}
