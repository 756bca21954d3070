import { timingSafeEqual } from 'node:crypto'

/** Whether two secrets are the same, in a time that tells nothing of where they differ. The length of `given` may be anything, in bytes as in characters. */
export function timingSafeEqualStrings(given: string, requested: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(requested)]
  return a.length === b.length && timingSafeEqual(a, b)
}
