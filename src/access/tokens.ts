import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import { z } from 'zod'
import { Role } from './users.ts'

export interface Identity {
  user_id: string
  username: string
  role: Role
}

const ISSUER = 'zinc'
const AUDIENCE = 'zinc-api'
const ACCESS_SECONDS = 3600
/** Verified tokens are remembered this long: a page of pictures verifies once, a token that ends is refused in time. */
const REMEMBER_MS = 1_000
const REMEMBERED = 5_000

const Claims = z.object({ sub: z.uuid(), name: z.string(), role: Role, typ: z.literal('access'), jti: z.string().min(1), exp: z.number() })

export type AccessTokens = ReturnType<typeof createAccessTokens>

const keyId = (key: Buffer) => createHash('sha256').update('zinc jwt key').update(key).digest('hex').slice(0, 8)

/** Access tokens for people: HS256 and nothing else, signed with the newest key of the ring, read with any of them. */
export function createAccessTokens(ring: Buffer[]) {
  const newest = ring[0]
  if (!newest) throw new Error('The key ring is empty')
  const sign = createSigner({
    key: newest,
    algorithm: 'HS256',
    iss: ISSUER,
    aud: AUDIENCE,
    kid: keyId(newest),
    expiresIn: ACCESS_SECONDS * 1000,
  })
  const verifiers = new Map(
    ring.map((key) => [
      keyId(key),
      createVerifier({
        key,
        algorithms: ['HS256'],
        allowedIss: ISSUER,
        allowedAud: AUDIENCE,
        requiredClaims: ['exp', 'jti', 'sub'],
        clockTolerance: 30_000,
      }),
    ]),
  )
  const remembered = new Map<string, { identity: Identity; until: number }>()

  return {
    expiresIn: ACCESS_SECONDS,
    issue: ({ user_id, username, role }: Identity): string =>
      sign({ sub: user_id, name: username, role, typ: 'access', jti: randomUUID() }),
    /** Null for anything that is not a valid access token of ours. */
    read(token: string): Identity | null {
      const known = remembered.get(token)
      if (known && known.until > Date.now()) return known.identity
      const header = headerOf(token)
      const verify = typeof header?.kid === 'string' ? verifiers.get(header.kid) : undefined
      if (!verify || header?.crit !== undefined) return null
      try {
        const claims = Claims.parse(verify(token))
        const identity = { user_id: claims.sub, username: claims.name, role: claims.role }
        if (remembered.size > REMEMBERED) remembered.clear()
        remembered.set(token, { identity, until: Math.min(Date.now() + REMEMBER_MS, claims.exp * 1000) })
        return identity
      } catch {
        return null
      }
    },
  }
}

function headerOf(token: string): Record<string, unknown> | null {
  if (token.length > 4096) return null
  try {
    return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
  } catch {
    return null
  }
}

/** A refresh token is random and opaque; the database keeps its hash only. */
export const newRefreshToken = (): string => randomBytes(32).toString('base64url')
export const hashRefreshToken = (token: string): string => createHash('sha256').update(token).digest('hex')
