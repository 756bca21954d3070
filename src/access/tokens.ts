import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import { z } from 'zod'
import { Role } from './roles.ts'

export interface Identity {
  user_id: string
  username: string
  role: Role
  /** The login that the token came from; the token is refused once that has ended. */
  session_id: string
}

const ISSUER = 'zinc'
const AUDIENCE = 'zinc-api'
const ACCESS_SECONDS = 3600
/** Longer ones are not ours; reading them would only cost time. */
const MAX_TOKEN_LENGTH = 4096

const Header = z.strictObject({ alg: z.literal('HS256'), typ: z.literal('JWT'), kid: z.string() })
const Claims = z.object({
  sub: z.uuid(),
  sid: z.uuid(),
  name: z.string(),
  role: Role,
  typ: z.literal('access'),
  jti: z.string().min(1),
  exp: z.number(),
})

export type AccessTokens = ReturnType<typeof createAccessTokens>

const keyId = (key: Buffer) => createHash('sha256').update('zinc jwt key').update(key).digest('hex').slice(0, 8)

/**
 * Access tokens for people: HS256 and nothing else, signed with the newest key of the ring, read with any of them.
 * Whether the login behind a token still stands is asked by `createIdentification`.
 */
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
        requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti', 'sub'],
        clockTolerance: 30_000,
      }),
    ]),
  )

  return {
    expiresIn: ACCESS_SECONDS,
    issue: ({ user_id, username, role, session_id }: Identity): string =>
      sign({ sub: user_id, sid: session_id, name: username, role, typ: 'access', jti: randomUUID() }),
    /** Null for anything that is not an access token of ours, unexpired and unaltered. */
    read(token: string): Identity | null {
      const parts = token.length > MAX_TOKEN_LENGTH ? [] : token.split('.')
      if (parts.length !== 3) return null
      const [head = '', body = ''] = parts
      const header = Header.safeParse(canonical(head))
      const verify = header.success && canonical(body) !== null ? verifiers.get(header.data.kid) : undefined
      if (!verify) return null
      try {
        const claims = Claims.parse(verify(token))
        return { user_id: claims.sub, username: claims.name, role: claims.role, session_id: claims.sid }
      } catch {
        return null
      }
    },
  }
}

/** The JSON of a part, if it is written as we write it: claims that stand twice would be read in one way here and in another elsewhere. */
function canonical(part: string): unknown {
  const text = Buffer.from(part, 'base64url').toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === text ? value : null
  } catch {
    return null
  }
}

/** A refresh token is random and opaque; the database keeps its hash only. */
export const newRefreshToken = (): string => randomBytes(32).toString('base64url')
export const hashRefreshToken = (token: string): string => createHash('sha256').update(token).digest('hex')
