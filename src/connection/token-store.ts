import { createHash } from 'node:crypto'
import type { Database, Db } from '../database/client.ts'
import { advisoryXactLock } from '../database/locks.ts'
import { aadFor, ENCRYPTED_TOKENS } from '../settings/encrypted-columns.ts'
import type { Encryption } from '../settings/encryption.ts'
import { type AccessToken, type Credentials, SIGN_IN_WINDOW_MS, type TokenStore } from '../zoho/token-refresh.ts'

/**
 * Identifies the credentials of a token: any changed part makes another id, so that an old token
 * never hides that a new secret is wrong.
 */
const fingerprint = ({ clientId, clientSecret, refreshToken }: Credentials): string =>
  createHash('sha256').update(`${clientId}\n${clientSecret}\n${refreshToken}`).digest('hex').slice(0, 32)
const aadOf = (id: string): string => aadFor(ENCRYPTED_TOKENS, id)

/**
 * Stores the shared access token in PostgreSQL, encrypted. The lock is held while one process
 * requests a token; the others then find it.
 */
export function createTokenStore({
  db,
  encryption,
  credentials,
}: {
  db: Database
  encryption: Encryption
  credentials: Credentials
}): TokenStore {
  const id = fingerprint(credentials)

  async function read(from: Db): Promise<AccessToken | null> {
    const row = await from.zohoToken.findUnique({ where: { id } })
    if (!row) return null
    try {
      return {
        value: encryption.decrypt(row.access_token, aadOf(id)),
        expiresAt: row.expires_at,
        issuedAt: row.issued_at ?? new Date(0),
        scope: row.scope,
      }
    } catch {
      return null // encrypted with a removed key: a new token costs one call
    }
  }

  return {
    read: () => read(db),
    exclusively: (work) =>
      // A transaction around a call to Zoho, on purpose: it only holds the lock that makes the
      // others wait for this one token.
      db.$transaction(
        async (tx) => {
          await advisoryXactLock(tx, `zoho token ${id}`)
          const past = await tx.zohoSignIn.findUnique({ where: { id } })
          return work({
            stored: await read(tx),
            issuedAt: past?.issued_at ?? [],
            heldUntil: past?.held_until ?? null,
            async save(token) {
              await saveToken(tx, { encryption, credentials, token })
              const issued_at = [...(past?.issued_at ?? []), token.issuedAt].filter(
                (at) => token.issuedAt.getTime() - at.getTime() < SIGN_IN_WINDOW_MS,
              )
              await tx.zohoSignIn.upsert({ where: { id }, create: { id, issued_at }, update: { issued_at, held_until: null } })
            },
            async hold(until) {
              await tx.zohoSignIn.upsert({ where: { id }, create: { id, held_until: until }, update: { held_until: until } })
            },
          })
        },
        { timeout: 45_000, maxWait: 45_000 },
      ),
  }
}

/** Saves a token for all processes; a code exchange returns one with the new credentials. */
export async function saveToken(
  tx: Db,
  { encryption, credentials, token }: { encryption: Encryption; credentials: Credentials; token: AccessToken },
): Promise<void> {
  const id = fingerprint(credentials)
  const data = {
    access_token: encryption.encrypt(token.value, aadOf(id)),
    expires_at: token.expiresAt,
    issued_at: token.issuedAt,
    scope: token.scope,
  }
  await tx.zohoToken.upsert({ where: { id }, create: { id, ...data }, update: data })
}
