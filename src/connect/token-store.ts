import { createHash } from 'node:crypto'
import { lockInTransaction } from '../database/locks.ts'
import type { Database, Db } from '../db.ts'
import type { Secrets } from '../settings/secrets.ts'
import type { AccessToken, Credentials, TokenStore } from '../zoho/tokens.ts'

/** The shared access token in PostgreSQL, encrypted. The lock is held while one process asks Zoho; the others find its token. */
export function createTokenStore({ db, secrets, credentials }: { db: Database; secrets: Secrets; credentials: Credentials }): TokenStore {
  const id = createHash('sha256').update(`${credentials.clientId}\n${credentials.refreshToken}`).digest('hex').slice(0, 32)
  const place = `zoho_token.access_token.${id}`

  async function read(from: Db): Promise<AccessToken | null> {
    const row = await from.zohoToken.findUnique({ where: { id } })
    if (!row) return null
    try {
      return { value: secrets.open(row.access_token, place), expiresAt: row.expires_at }
    } catch {
      return null // sealed with a key that has been rotated out: a new token costs one call
    }
  }

  return {
    read: () => read(db),
    exclusively: (work) =>
      // A transaction round a call to Zoho, on purpose: it only holds the lock that makes the others wait for this one token.
      db.$transaction(
        async (tx) => {
          await lockInTransaction(tx, `zoho token ${id}`)
          return work(await read(tx), async (token) => {
            const data = { access_token: secrets.seal(token.value, place), expires_at: token.expiresAt }
            await tx.zohoToken.upsert({ where: { id }, create: { id, ...data }, update: data })
          })
        },
        { timeout: 45_000, maxWait: 45_000 },
      ),
  }
}
