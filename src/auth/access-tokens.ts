import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { createJwtSigner } from './jwt.ts'
import { Role } from './roles.ts'

export interface Identity {
  user_id: string
  username: string
  role: Role
  /** The login of the token, which is refused once that has ended. For an API key: its own id. */
  session_id: string
}

const ACCESS_SECONDS = 3600

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

/**
 * Access tokens for users. Whether the login behind a token is still active is checked by
 * `createAuthenticator`.
 */
export function createAccessTokens(ring: Buffer[]) {
  const tokens = createJwtSigner(ring, {
    audience: 'zinc-api',
    claims: Claims,
    requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti', 'sub'],
  })
  return {
    expiresIn: ACCESS_SECONDS,
    issue: ({ user_id, username, role, session_id }: Identity): string =>
      tokens.sign(
        { sub: user_id, sid: session_id, name: username, role, typ: 'access', jti: randomUUID() },
        { expiresInMs: ACCESS_SECONDS * 1000 },
      ),
    /** Null for anything that is not an access token of zinc's, unexpired and unaltered. */
    read(token: string): Identity | null {
      const claims = tokens.read(token)
      return claims && { user_id: claims.sub, username: claims.name, role: claims.role, session_id: claims.sid }
    },
  }
}

/** A refresh token is random and opaque; the database stores only its hash. */
export const newRefreshToken = (): string => randomBytes(32).toString('base64url')
export const hashRefreshToken = (token: string): string => createHash('sha256').update(token).digest('hex')
