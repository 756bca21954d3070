import { timingSafeEqual } from 'node:crypto'

/**
 * Compares two secrets in a time that does not reveal where they differ. `given` may have any
 * length, in bytes and in characters.
 */
export function timingSafeEqualStrings(given: string, requested: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(requested)]
  return a.length === b.length && timingSafeEqual(a, b)
}
