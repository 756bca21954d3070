import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

export interface Secrets {
  /** The id of the key that seals now. */
  newestKeyId: string
  /** Encrypts for one place: the same text cannot be moved to another row. */
  seal(plain: string, place: string): string
  /** Throws when the record was altered, moved, or made with a key that is not in the ring. */
  open(record: string, place: string): string
}

const keyId = (key: Buffer): string => createHash('sha256').update('zinc key id').update(key).digest('hex').slice(0, 8)

/**
 * AES-256-GCM with a key ring that lives outside the database; the first key encrypts, all decrypt (rotation without downtime).
 * Record: `v1:key id:nonce:tag:ciphertext`, each in base64url; the place (table, column, row) is authenticated beside it.
 */
export function createSecrets(ring: Buffer[]): Secrets {
  const keys = new Map(ring.map((key) => [keyId(key), key.subarray(0, 32)]))
  const [newest] = keys.keys()
  if (newest === undefined) throw new Error('The key ring is empty')
  return {
    newestKeyId: newest,
    seal(plain, place) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', keys.get(newest)!, nonce).setAAD(Buffer.from(place))
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return ['v1', newest, ...[nonce, cipher.getAuthTag(), sealed].map((part) => part.toString('base64url'))].join(':')
    },
    open(record, place) {
      const [version, id = '', nonce = '', tag = '', sealed = ''] = record.split(':')
      const key = keys.get(id)
      if (version !== 'v1' || !key) throw new Error(`No key ${id} in the key ring`)
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(place)).setAuthTag(Buffer.from(tag, 'base64url'))
      return Buffer.concat([decipher.update(Buffer.from(sealed, 'base64url')), decipher.final()]).toString('utf8')
    },
  }
}
