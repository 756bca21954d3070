import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { createJwtSigner } from '../auth/jwt.ts'
import type { Database } from '../database/client.ts'
import type { EdgeToken } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { NotFoundError } from '../lib/errors.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'
import { findStore } from './stores.ts'

/** An edge server that sent a valid token: it may do what its store may, and nothing else. */
export interface EdgeIdentity {
  token_id: string
  store_id: string
  name: string
}

const DAY_MS = 86_400_000
const DEFAULT_DAYS = 365
/** A valid token is cached for this long, so every process refuses a revoked one soon. */
const REMEMBER_MS = 1_000
const REMEMBERED = 5_000
/** Precision of `last_seen_at`; each update costs a write. */
const SEEN_EVERY_MS = 15_000

/** `exp` is missing in a token that does not expire. */
const Claims = z.object({ sub: z.uuid(), store: z.uuid(), typ: z.literal('edge'), jti: z.string().min(1), exp: z.number().optional() })

export type EdgeTokens = ReturnType<typeof createEdgeTokens>

/**
 * Tokens of edge servers: signed like those of users, with their own audience, each with a row that
 * can be revoked.
 */
export function createEdgeTokens({ db, keys, clock }: { db: Database; keys: Buffer[]; clock: Clock }) {
  const tokens = createJwtSigner(keys, { audience: 'zinc-edge', claims: Claims, requiredClaims: ['iss', 'aud', 'iat', 'jti', 'sub'] })
  const remembered = new Map<string, { identity: Promise<EdgeIdentity | null>; until: number }>()
  const seenAt = new Map<string, number>()

  async function lookUp(token: string, from: Omit<Actor, 'actor'>): Promise<EdgeIdentity | null> {
    const claims = tokens.read(token)
    if (!claims) return null
    const row = await db.edgeToken.findFirst({ where: { id: claims.sub, store_id: claims.store, revoked_at: null } })
    if (!row || (row.expires_at && row.expires_at <= clock.now())) return null
    if (row.last_used_at === null) await recordFirstUse(row, from)
    if (performance.now() - (seenAt.get(row.id) ?? Number.NEGATIVE_INFINITY) > SEEN_EVERY_MS) {
      if (seenAt.size > REMEMBERED) seenAt.clear()
      seenAt.set(row.id, performance.now())
      await db.$executeRaw`
        with used as (update edge_token set last_used_at = ${clock.now()} where id = ${row.id}::uuid)
        update store set last_seen_at = ${clock.now()} where id = ${row.store_id}::uuid`
    }
    return { token_id: row.id, store_id: row.store_id, name: row.name }
  }

  /**
   * The first use of a token is recorded: it shows where the token is used from, and that it was
   * not lost on the way.
   */
  async function recordFirstUse({ id, store_id, name }: EdgeToken, from: Omit<Actor, 'actor'>): Promise<void> {
    await db.$transaction(async (tx) => {
      const { count } = await tx.edgeToken.updateMany({ where: { id, last_used_at: null }, data: { last_used_at: clock.now() } })
      if (count === 0) return
      const { code } = await findStore(tx, store_id)
      await recordAudit(tx, { ...from, actor: `edge:${name}`, action: 'edge_token.first_use', target: `store:${code}` })
    })
  }

  return {
    /**
     * The cached result if this token was checked just now; it answers a burst of requests without
     * a query.
     */
    authenticateCached(token: string): Promise<EdgeIdentity | null> | null {
      const known = remembered.get(token)
      return known && known.until > performance.now() ? known.identity : null
    },
    /**
     * Returns whose token this is; null when it is not one of an edge server, has expired or was
     * revoked. Throws when the database is unavailable.
     */
    authenticate(token: string, from: Omit<Actor, 'actor'>): Promise<EdgeIdentity | null> {
      const known = remembered.get(token)
      if (known && known.until > performance.now()) return known.identity
      const identity = lookUp(token, from)
      if (remembered.size >= REMEMBERED) remembered.clear()
      remembered.set(token, { identity, until: performance.now() + REMEMBER_MS })
      identity.then(
        (found) => found ?? remembered.delete(token),
        () => remembered.delete(token),
      )
      return identity
    },
    /** Called after a revocation in this process: the next request reads the database again. */
    invalidate: () => remembered.clear(),

    /**
     * Creates a token; only this result contains the token itself. Throws NotFoundError
     * `store_not_found`.
     */
    async issue(
      storeId: string,
      { name, expires_in_days = DEFAULT_DAYS }: { name: string; expires_in_days?: number | null | undefined },
      by: Actor,
    ): Promise<{ token: string; row: EdgeToken }> {
      const id = randomUUID()
      const now = clock.now()
      const expiresInMs = expires_in_days === null ? undefined : expires_in_days * DAY_MS
      const row = await db.$transaction(async (tx) => {
        const store = await findStore(tx, storeId)
        await recordAudit(tx, { ...by, action: 'edge_token.create', target: `store:${store.code}`, fields: ['name', 'expires_at'] })
        return tx.edgeToken.create({
          data: {
            id,
            store_id: store.id,
            name,
            created_at: now,
            expires_at: expiresInMs === undefined ? null : new Date(now.getTime() + expiresInMs),
          },
        })
      })
      return { token: tokens.sign({ sub: id, store: row.store_id, typ: 'edge', jti: randomUUID() }, { expiresInMs }), row }
    },

    async list(storeId: string): Promise<EdgeToken[]> {
      const store = await findStore(db, storeId)
      return db.edgeToken.findMany({ where: { store_id: store.id }, orderBy: [{ created_at: 'asc' }, { id: 'asc' }] })
    },

    /**
     * Throws NotFoundError `edge_token_not_found`. A second revocation keeps the time of the first.
     * `storeId` null: of any store.
     */
    async revoke(storeId: string | null, tokenId: string, by: Actor): Promise<EdgeToken> {
      const revoked = await db.$transaction(async (tx) => {
        const row = await tx.edgeToken.findUnique({ where: { id: tokenId }, include: { store: true } })
        if (!row || (storeId !== null && row.store_id !== (await findStore(tx, storeId)).id))
          throw new NotFoundError('edge_token_not_found')
        const { store, ...token } = row
        if (token.revoked_at) return token
        await recordAudit(tx, { ...by, action: 'edge_token.revoke', target: `store:${store.code}` })
        // The revoked token gave access to the peer key of the store.
        await tx.store.update({ where: { id: store.id }, data: { peer_key_version: { increment: 1 } } })
        return tx.edgeToken.update({ where: { id: token.id }, data: { revoked_at: clock.now() } })
      })
      remembered.clear()
      return revoked
    },
  }
}
