import type { Database, Db } from '../database/client.ts'
import { API_KEY_SCOPES, type ApiKeyScope, mayGrant } from '../facts/api-key-scopes.ts'
import type { ApiKey as ApiKeyRow } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { ConflictError, ForbiddenError, NotFoundError } from '../lib/errors.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'
import { hashApiKey, newApiKey, prefixOf } from './api-key-format.ts'
import type { AuthenticatedIdentity, Authenticator } from './authenticate.ts'
import type { Role } from './roles.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Who manages keys: an admin sees and revokes all, others their own. */
type Owner = Pick<AuthenticatedIdentity, 'user_id' | 'role'>
export type ApiKeyWithMaker = ApiKeyRow & { user: { username: string } }
export type ApiKeys = ReturnType<typeof createApiKeys>

/** Returns the scopes of a key that its maker's present role allows. */
export const scopesWithin = (role: Role, scopes: string[]): ApiKeyScope[] =>
  API_KEY_SCOPES.filter((scope) => scopes.includes(scope) && mayGrant(role, scope))

/**
 * API keys for programs: created, listed, rotated and revoked. `createAuthenticator` reads them.
 */
export function createApiKeys({ db, clock, authenticator }: { db: Database; clock: Clock; authenticator: Authenticator }) {
  const include = { user: { select: { username: true } } }

  /** Throws NotFoundError, also for another user's key, so that its existence is not revealed. */
  async function find(tx: Db, id: string, { user_id, role }: Owner): Promise<ApiKeyWithMaker> {
    const key = await tx.apiKey.findFirst({ where: { id, ...(role !== 'admin' && { user_id }) }, include })
    if (!key) throw new NotFoundError('api_key_not_found')
    return key
  }
  const endOf = (days: number | null): Date | null => (days === null ? null : new Date(clock.now().getTime() + days * DAY_MS))

  return {
    /** The newest first. */
    list: ({ user_id, role }: Owner): Promise<ApiKeyWithMaker[]> =>
      db.apiKey.findMany({ where: role === 'admin' ? {} : { user_id }, include, orderBy: [{ created_at: 'desc' }, { id: 'desc' }] }),

    /**
     * Throws ForbiddenError `forbidden` for scopes beyond the maker's role, ConflictError
     * `api_key_name_taken`.
     */
    async create(
      { name, scopes, days }: { name: string; scopes: ApiKeyScope[]; days: number | null },
      maker: Owner,
      by: Actor,
    ): Promise<{ key: string; row: ApiKeyWithMaker }> {
      const beyond = scopes.filter((scope) => !mayGrant(maker.role, scope))
      if (beyond.length > 0) throw new ForbiddenError('forbidden.key_scopes', { role: maker.role, scopes: beyond })
      const key = newApiKey()
      const row = await db.$transaction(async (tx) => {
        // Runs and the audit log identify keys by name, so a name must belong to one user.
        const other = await tx.apiKey.findFirst({ where: { name, user_id: { not: maker.user_id } }, select: { id: true } })
        if (other) throw new ConflictError('api_key_name_taken', { name })
        const made = await tx.apiKey.create({
          data: {
            user_id: maker.user_id,
            name,
            scopes,
            prefix: prefixOf(key),
            key_hash: hashApiKey(key),
            lifetime_days: days,
            created_at: clock.now(),
            expires_at: endOf(days),
          },
          include,
        })
        await recordAudit(tx, { ...by, action: 'api_key.create', target: `key:${name}`, fields: scopes })
        return made
      })
      return { key, row }
    },

    /**
     * Replaces the secret of a key, with its lifetime from now; the old one is accepted for some
     * hours more. Throws NotFoundError.
     */
    async rotate(
      id: string,
      { overlapHours }: { overlapHours: number },
      owner: Owner,
      by: Actor,
    ): Promise<{ key: string; row: ApiKeyWithMaker }> {
      const key = newApiKey()
      const row = await db.$transaction(async (tx) => {
        const { name, key_hash, lifetime_days, expires_at } = await find(tx, id, owner)
        const until = new Date(clock.now().getTime() + overlapHours * HOUR_MS)
        const previous_until = expires_at && expires_at < until ? expires_at : until
        const changed = await tx.apiKey.update({
          where: { id },
          data: {
            prefix: prefixOf(key),
            key_hash: hashApiKey(key),
            previous_hash: overlapHours > 0 ? key_hash : null,
            previous_until: overlapHours > 0 ? previous_until : null,
            expires_at: endOf(lifetime_days),
          },
          include,
        })
        await recordAudit(tx, { ...by, action: 'api_key.rotate', target: `key:${name}` })
        return changed
      })
      authenticator.invalidate()
      return { key, row }
    },

    /**
     * Its next request is refused; other processes follow within a second. Throws NotFoundError.
     */
    async revoke(id: string, owner: Owner, by: Actor): Promise<ApiKeyWithMaker> {
      const row = await db.$transaction(async (tx) => {
        const found = await find(tx, id, owner)
        await tx.apiKey.delete({ where: { id } })
        await recordAudit(tx, { ...by, action: 'api_key.revoke', target: `key:${found.name}` })
        return found
      })
      authenticator.invalidate()
      return row
    },
  }
}
