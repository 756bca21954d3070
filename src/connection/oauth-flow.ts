import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { Config } from '../config.ts'
import type { Database, Db } from '../database/client.ts'
import { DATA_CENTERS, type DataCenter } from '../facts/data-centers.ts'
import type { Clock } from '../lib/clock.ts'
import { BadGatewayError, BadRequestError } from '../lib/errors.ts'
import type { Actor } from '../settings/audit-log.ts'
import type { Encryption } from '../settings/encryption.ts'
import { enabledModules, MODULES } from '../settings/modules.ts'
import type { ZohoSettings } from '../settings/zoho-settings.ts'
import { requestToken } from '../zoho/oauth.ts'
import { notSetUp } from '../zoho/oauth-errors.ts'
import type { ConnectionStateStore } from './connection-state.ts'
import { type DataCenterEndpoints, endpointsOf } from './create-client.ts'
import { SCOPES } from './scopes.ts'
import { saveToken } from './token-store.ts'

/** As long as a person may take on Zoho's page. */
export const STATE_LIFE_MS = 10 * 60_000

export interface OAuthFlowDeps {
  db: Database
  encryption: Encryption
  settings: ZohoSettings
  connection: ConnectionStateStore
  dataCenters: DataCenterEndpoints
  clock: Clock
  dispatcher: Dispatcher
  /** Where Zoho redirects people back to; known once zinc listens. */
  redirectUri(): string
}

export const sha256Hex = (value: string): string => createHash('sha256').update(value).digest('hex')

export type OAuthFlow = ReturnType<typeof createOAuthFlow>

/**
 * The two ways to a refresh token: a self client's grant code that a person pastes, and Zoho's
 * consent page.
 */
export function createOAuthFlow({ db, encryption, settings, connection, dataCenters, clock, dispatcher, redirectUri }: OAuthFlowDeps) {
  async function exchange(
    code: string,
    { actor, consent, dataCenter }: { actor: Actor; consent: boolean; dataCenter?: DataCenter | undefined },
  ): Promise<void> {
    // Checked first: a code works once, and must not be spent on a token that cannot be saved.
    await settings.assertChangeable(['refresh_token', ...(dataCenter === undefined ? [] : (['data_center'] as const))])
    const set = await settings.forClient()
    const { clientId, clientSecret } = oauthClient(set)
    const { accountsUrl } = endpointsOf(dataCenter === undefined ? set : { ...set, dataCenter }, dataCenters)
    const given = await requestToken(
      {
        accountsUrl,
        purpose: 'exchange',
        parameters: {
          grant_type: 'authorization_code',
          client_id: clientId,
          client_secret: clientSecret,
          code,
          ...(consent && { redirect_uri: redirectUri() }),
        },
      },
      { clock, dispatcher },
    )
    const { refreshToken, accessToken, expiresAt, issuedAt, scope } = given
    if (refreshToken === null) {
      throw new BadGatewayError('no_refresh_token')
    }
    const change = { refresh_token: refreshToken, ...(dataCenter !== undefined && { data_center: dataCenter }) }
    const also = async (tx: Db) => {
      const credentials = { clientId, clientSecret, refreshToken }
      await saveToken(tx, { encryption, credentials, token: { value: accessToken, expiresAt, issuedAt, scope } })
      return []
    }
    await settings.change(change, actor, { also })
    await connection.works()
  }

  return {
    /**
     * Exchanges a self client's grant code. Throws ConfigurationError with Zoho's code,
     * ConflictError `set_by_environment`.
     */
    authorize: (code: string, actor: Actor): Promise<void> => exchange(code, { actor, consent: false }),

    /**
     * Begins the consent: returns the URL of Zoho's page, and the cookie for this browser only.
     * `linkHash`: with a link, see consent-links.ts.
     */
    async begin(username: string, linkHash: string | null = null): Promise<{ url: string; cookie: string }> {
      await settings.assertChangeable(['refresh_token'])
      const set = await settings.forClient()
      const { clientId } = oauthClient(set)
      const state = randomBytes(32).toString('base64url')
      const cookie = randomBytes(32).toString('base64url')
      const now = clock.now()
      await db.oauthState.deleteMany({ where: { expires_at: { lt: now } } })
      await db.oauthState.create({
        data: {
          hash: sha256Hex(state),
          cookie_hash: sha256Hex(cookie),
          username,
          link_hash: linkHash,
          expires_at: new Date(now.getTime() + STATE_LIFE_MS),
        },
      })
      const url = new URL('/oauth/v2/auth', endpointsOf(set, dataCenters).accountsUrl)
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        scope: await requiredScopes(db),
        redirect_uri: redirectUri(),
        access_type: 'offline',
        prompt: 'consent',
        state,
      }).toString()
      return { url: url.href, cookie }
    },

    /**
     * Handles the redirect back from Zoho. Throws BadRequestError `invalid_state`,
     * `consent_denied`; BadGatewayError with Zoho's code.
     */
    async finish(
      back: { code?: string | undefined; state?: string | undefined; error?: string | undefined; accountsServer?: string | undefined },
      { cookie, request }: { cookie: string | undefined; request: Omit<Actor, 'actor'> },
    ): Promise<void> {
      const begun = await takeState(back.state, cookie)
      if (back.error !== undefined || back.code === undefined) {
        throw new BadRequestError('consent_denied', { zoho: (back.error ?? 'no code').slice(0, 100) })
      }
      const set = await settings.forClient()
      await exchange(back.code, {
        actor: { ...request, actor: begun.username },
        consent: true,
        dataCenter: elsewhere(set, back.accountsServer),
      })
      // The link has served its purpose.
      if (begun.link_hash !== null) await db.consentLink.deleteMany({ where: { hash: begun.link_hash } })
    },

    redirectUri,
  }

  /**
   * Deletes a state from the table, so that it works once; only with the cookie of the browser that
   * began.
   */
  async function takeState(state: string | undefined, cookie: string | undefined): Promise<{ username: string; link_hash: string | null }> {
    const wrong = new BadRequestError('invalid_state')
    if (state === undefined || cookie === undefined) throw wrong
    const [row] = await db.$queryRaw<{ username: string; link_hash: string | null; cookie_hash: string; expires_at: Date }[]>`
      delete from oauth_state where hash = ${sha256Hex(state)} returning username, link_hash, cookie_hash, expires_at`
    if (!row || row.expires_at <= clock.now() || !timingSafeEqual(Buffer.from(row.cookie_hash), Buffer.from(sha256Hex(cookie)))) throw wrong
    return row
  }

  /**
   * The data center that the redirect names, when it is another one of the table; a host outside
   * the table is ignored.
   */
  function elsewhere(set: Config['zoho'], accountsServer: string | undefined): DataCenter | undefined {
    if (accountsServer === undefined || set.accountsUrl !== undefined) return undefined
    const named = DATA_CENTERS.find((it) => dataCenters[it].accountsUrl === accountsServer.replace(/\/+$/, ''))
    return named === (set.dataCenter ?? 'com') ? undefined : named
  }
}

/** Returns the scopes of the enabled modules, in Zoho's format. */
export async function requiredScopes(db: Database): Promise<string> {
  const enabled = await enabledModules(db)
  return MODULES.filter(({ slug }) => enabled.get(slug))
    .flatMap(({ slug }) => SCOPES[slug].map(({ scope }) => scope))
    .join(',')
}

/** Throws ConfigurationError `not_set_up`. */
export function oauthClient({ clientId, clientSecret }: Config['zoho']): { clientId: string; clientSecret: string } {
  if (clientId && clientSecret) return { clientId, clientSecret }
  throw notSetUp([...(clientId ? [] : ['client_id']), ...(clientSecret ? [] : ['client_secret'])])
}
