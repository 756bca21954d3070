import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { ForbiddenError } from '../../lib/errors.ts'
import { timingSafeEqualStrings } from '../../lib/timing-safe-equal.ts'

/** How many hex digits of the content's hash a URL contains. */
const VERSION_DIGITS = 16

export type ImageUrls = ReturnType<typeof createImageUrls>

/**
 * Image URLs that contain their own permission: `…/{name}.{ext}?v=&exp=&sig=`. `exp` is the end of
 * the month after next, so the URL of an unchanged image changes at most once a month and caches
 * keep it.
 */
export function createImageUrls({
  keys: encryption,
  publicUrl,
  publicImages = false,
}: {
  keys: Buffer[]
  publicUrl(): string
  /** Images are public: URLs then need no signature and do not expire. */
  publicImages?: boolean
}) {
  // Node creates such an object from plain bytes at each use, which takes six times as long as the
  // signature itself.
  const keys = encryption.map((secret) => createSecretKey(secret))
  const sign = (key: KeyObject, file: string, version: string, exp: number) =>
    createHmac('sha256', key).update(`image ${file} ${version} ${exp}`).digest('base64url').slice(0, 32)
  return {
    versionOf: (sha256: string): string => sha256.slice(0, VERSION_DIGITS),
    build({ name, ext, sha256, now }: { name: string; ext: string; sha256: string; now: Date }): string {
      const file = `${name}.${ext}`
      const version = sha256.slice(0, VERSION_DIGITS)
      if (publicImages) return `${publicUrl()}/images/${encodeURIComponent(file)}?v=${version}`
      const exp = Math.floor(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 3, 1) / 1000)
      return `${publicUrl()}/api/data/images/item/${encodeURIComponent(file)}?v=${version}&exp=${exp}&sig=${sign(keys[0]!, file, version, exp)}`
    },
    /**
     * Returns the seconds until the URL expires. Throws ForbiddenError when it was altered or has
     * expired.
     */
    check({ file, version, exp, sig, now }: { file: string; version: string; exp: number; sig: string; now: Date }): number {
      const right = keys.some((key) => timingSafeEqualStrings(sig, sign(key, file, version, exp)))
      const left = exp - Math.floor(now.getTime() / 1000)
      if (!right || left <= 0) throw new ForbiddenError(right ? 'image_url_invalid.ended' : 'image_url_invalid')
      return left
    },
  }
}
