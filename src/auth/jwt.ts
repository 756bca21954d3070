import { createHash } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import { z } from 'zod'

const ISSUER = 'zinc'
/** Longer ones are not ours; reading them would only cost time. */
const MAX_TOKEN_LENGTH = 4096

const Header = z.strictObject({ alg: z.literal('HS256'), typ: z.literal('JWT'), kid: z.string() })

const keyId = (key: Buffer) => createHash('sha256').update('zinc jwt key').update(key).digest('hex').slice(0, 8)

export interface JwtSigner<T> {
  /** `expiresInMs` left out: the token does not expire. */
  sign(claims: Record<string, unknown>, options: { expiresInMs?: number | undefined }): string
  /** Null for anything that is not a token of zinc's for this audience, unexpired and unaltered. */
  read(token: string): T | null
}

/**
 * JWTs for one audience: only HS256, signed with the newest key of the ring, read with any of them.
 */
export function createJwtSigner<T>(
  ring: Buffer[],
  { audience, claims, requiredClaims }: { audience: string; claims: z.ZodType<T>; requiredClaims: string[] },
): JwtSigner<T> {
  const newest = ring[0]
  if (!newest) throw new Error('The key ring is empty')
  const signing = { key: newest, algorithm: 'HS256', iss: ISSUER, aud: audience, kid: keyId(newest) } as const
  const verifiers = new Map(
    ring.map((key) => [
      keyId(key),
      createVerifier({ key, algorithms: ['HS256'], allowedIss: ISSUER, allowedAud: audience, requiredClaims, clockTolerance: 30_000 }),
    ]),
  )
  return {
    sign: (payload, { expiresInMs }) =>
      createSigner(expiresInMs === undefined ? signing : { ...signing, expiresIn: Math.ceil(expiresInMs) })(payload),
    read(token) {
      const parts = token.length > MAX_TOKEN_LENGTH ? [] : token.split('.')
      if (parts.length !== 3) return null
      const [head = '', body = ''] = parts
      const header = Header.safeParse(canonical(head))
      const verify = header.success && canonical(body) !== null ? verifiers.get(header.data.kid) : undefined
      if (!verify) return null
      try {
        return claims.parse(verify(token))
      } catch {
        return null
      }
    },
  }
}

/**
 * Parses the JSON of a part if it is in canonical form: duplicate claims would be read in one way
 * here and in another elsewhere.
 */
function canonical(part: string): unknown {
  const text = Buffer.from(part, 'base64url').toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === text ? value : null
  } catch {
    return null
  }
}
