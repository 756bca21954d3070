import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

export interface Encryption {
  /** Encrypts for one row and column: the record cannot be moved to another. */
  encrypt(plain: string, aad: string): string
  /** Throws when the record was altered, moved, or encrypted with a key that is not in the ring. */
  decrypt(record: string, aad: string): string
  /**
   * Prefixes of records that were encrypted with the newest key, and with the older ones of the
   * ring.
   */
  prefixes(): { newest: string; older: string[] }
}

const keyId = (key: Buffer): string => createHash('sha256').update('zinc key id').update(key).digest('hex').slice(0, 8)

/**
 * AES-256-GCM with a key ring that is outside the database; the first key encrypts, all decrypt
 * (rotation without downtime). Record: `v1:key id:nonce:tag:ciphertext`, each in base64url; table,
 * column and row are authenticated as additional data.
 */
export function createEncryption(ring: () => Buffer[]): Encryption {
  const prefixOf = (key: Buffer) => `v1:${keyId(key)}:`
  return {
    encrypt(plain, aad) {
      const [newest] = ring()
      if (!newest) throw new Error('The key ring is empty')
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', newest.subarray(0, 32), nonce).setAAD(Buffer.from(aad))
      const encrypted = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return prefixOf(newest) + [nonce, cipher.getAuthTag(), encrypted].map((part) => part.toString('base64url')).join(':')
    },
    decrypt(record, aad) {
      const [version, id = '', nonce = '', tag = '', encrypted = ''] = record.split(':')
      const key = ring().find((it) => keyId(it) === id)
      if (version !== 'v1' || !key) throw new Error(`No key ${id} in the key ring`)
      const decipher = createDecipheriv('aes-256-gcm', key.subarray(0, 32), Buffer.from(nonce, 'base64url'), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(aad)).setAuthTag(Buffer.from(tag, 'base64url'))
      return Buffer.concat([decipher.update(Buffer.from(encrypted, 'base64url')), decipher.final()]).toString('utf8')
    },
    prefixes() {
      const [newest = '', ...older] = ring().map(prefixOf)
      return { newest, older }
    },
  }
}
