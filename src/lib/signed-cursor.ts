import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'

const MAC_BYTES = 9

/**
 * The scope is signed with the cursor, not written in it: a cursor of another scope, or an altered
 * one, is invalid.
 */
const sign = (key: KeyObject, scope: string, text: string): string =>
  createHmac('sha256', key).update(`${scope} ${text}`).digest().subarray(0, MAC_BYTES).toString('base64url')

/** Returns an opaque cursor of these parts, none of which may have a dot. */
export function writeSignedCursor(key: KeyObject, scope: string, parts: (string | number)[]): string {
  const text = parts.join('.')
  return Buffer.from(`${text}.${sign(key, scope, text)}`).toString('base64url')
}

/**
 * Returns the parts of a cursor; null where it is not one that `writeSignedCursor` made for this
 * scope.
 */
export function readSignedCursor(key: KeyObject, scope: string, given: string): string[] | null {
  const parts = Buffer.from(given, 'base64url').toString('latin1').split('.')
  const mac = Buffer.from(parts.pop() ?? '')
  const expected = Buffer.from(sign(key, scope, parts.join('.')))
  return mac.length === expected.length && timingSafeEqual(mac, expected) ? parts : null
}
