import { randomBytes } from 'node:crypto'
import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import { GoneError } from '../lib/errors.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'
import { type OAuthFlow, sha256Hex } from './oauth-flow.ts'

/** Long enough for the owner to be away for a weekend. */
const LINK_LIFE_MS = 72 * 3_600_000

export interface ConsentLinkDeps {
  db: Database
  clock: Clock
  authorization: Pick<OAuthFlow, 'begin'>
  /** Throws when a consent could not be saved, so that no useless link is made. */
  assertReady(): Promise<void>
}

/**
 * A link to Zoho's consent page for the owner of the Zoho account, who has no login here. It is
 * valid until one consent has succeeded, so that a mail program that opens links in advance does no
 * harm; only one exists at a time.
 */
export function createConsentLinks({ db, clock, authorization, assertReady }: ConsentLinkDeps) {
  const withdraw = async (actor: Actor): Promise<number> =>
    db.$transaction(async (tx) => {
      const { count } = await tx.consentLink.deleteMany({})
      if (count > 0) await recordAudit(tx, { ...actor, action: 'consent_link.withdraw', target: 'zoho' })
      return count
    })

  return {
    /** Creates a link, replacing any earlier one; the token is not stored. */
    async create(actor: Actor): Promise<{ token: string; expiresAt: Date }> {
      await assertReady()
      const token = randomBytes(32).toString('base64url')
      const expiresAt = new Date(clock.now().getTime() + LINK_LIFE_MS)
      await db.$transaction(async (tx) => {
        await tx.consentLink.deleteMany({})
        await tx.consentLink.create({ data: { hash: sha256Hex(token), username: actor.actor, expires_at: expiresAt } })
        await recordAudit(tx, { ...actor, action: 'consent_link.create', target: 'zoho' })
      })
      return { token, expiresAt }
    },
    withdraw,

    /** Returns when the present link expires; null: there is none. */
    async pending(): Promise<Date | null> {
      const link = await db.consentLink.findFirst({ where: { expires_at: { gt: clock.now() } } })
      return link?.expires_at ?? null
    },

    /** Begins a consent for the holder of the link. Throws GoneError `consent_link_expired`. */
    async follow(token: string): Promise<{ url: string; cookie: string }> {
      const link = await db.consentLink.findUnique({ where: { hash: sha256Hex(token) } })
      if (!link || link.expires_at <= clock.now()) throw new GoneError('consent_link_expired')
      return authorization.begin(link.username, link.hash)
    },
  }
}
