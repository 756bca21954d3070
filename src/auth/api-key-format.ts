import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 32 bytes and a CRC-32 in base62, with leading zeros. */
const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6
const FORMAT = new RegExp(`^zk_[0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}}$`)

export const API_KEY_START = 'zk_'

/**
 * Returns a new key: `zk_`, 32 random bytes in base62, and the CRC-32 of that text, by which secret
 * scanners recognise a key.
 */
export function newApiKey(): string {
  const secret = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), SECRET_LENGTH)
  return `${API_KEY_START}${secret}${checksumOf(secret)}`
}

/** Whether a text has the form of a key and its checksum matches: others need no query. */
export function isApiKey(text: string): boolean {
  if (!FORMAT.test(text)) return false
  return checksumOf(text.slice(API_KEY_START.length, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH)
}

/** The key is entirely random, so one fast hash protects it. */
export const hashApiKey = (key: string): string => createHash('sha256').update(key).digest('hex')

/** Enough to recognise a key, and useless for guessing the rest. */
export const prefixOf = (key: string): string => key.slice(0, API_KEY_START.length + 6)

const checksumOf = (secret: string): string => base62(BigInt(crc32(secret)), CHECKSUM_LENGTH)

function base62(value: bigint, length: number): string {
  let text = ''
  for (let left = value; left > 0n; left /= 62n) text = ALPHABET[Number(left % 62n)] + text
  return text.padStart(length, '0')
}
