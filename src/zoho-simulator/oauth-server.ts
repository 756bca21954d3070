import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Faults } from './faults.ts'
import type { SimulatorToggles } from './toggles.ts'

/** Obviously false, so that they are not mistaken for real ones. */
export const FAKE_CREDENTIALS = {
  clientId: '1000.FAKECLIENT',
  clientSecret: 'fake-client-secret',
  refreshToken: 'fake-refresh-token',
  organizationId: '460000001',
}

/**
 * Returns zinc's environment for a simulator at `url`, without the rate limit, which only a
 * simulator allows.
 */
export const environmentFor = (url: string) => ({
  ZOHO_CLIENT_ID: FAKE_CREDENTIALS.clientId,
  ZOHO_CLIENT_SECRET: FAKE_CREDENTIALS.clientSecret,
  ZOHO_REFRESH_TOKEN: FAKE_CREDENTIALS.refreshToken,
  ZOHO_ORGANIZATION_ID: FAKE_CREDENTIALS.organizationId,
  ZOHO_ACCOUNTS_URL: url,
  ZOHO_API_URL: url,
  ZOHO_REQUESTS_PER_MINUTE: '0',
})

const TOKEN_LIFE_MS = 3_600_000
const TOKENS_PER_10_MINUTES = 10
const LIVE_TOKENS = 15
const REFRESH_TOKENS = 20
const CODE_LIFE_MS = 120_000
const TOO_MANY = 'You have made too many requests continuously. Please try again after some time.'

export interface Grant {
  refreshToken: string
  scopes: string[]
  live: { value: string; expires: number }[]
  times: number[]
}

interface Code {
  value: string
  scopes: string[]
  expires: number
  offline: boolean
  redirectUri: string | null
}

interface ConsentQuery extends Record<string, string | undefined> {
  client_id?: string
  response_type?: string
  redirect_uri?: string
  scope?: string
  state?: string
  access_type?: string
}

export interface OAuthServerOptions {
  now(): number
  toggles: SimulatorToggles
  faults: Faults
  credentials: typeof FAKE_CREDENTIALS
  scopes: string[]
  counters: { token: number }
  /** Where this simulator listens. */
  url(): string
}

export type OAuthServer = ReturnType<typeof createOAuthServer>

/**
 * Zoho's accounts host: grants with their tokens and limits. Errors come with HTTP 200, as in Zoho.
 */
export function createOAuthServer({ now, toggles, faults, credentials, scopes, counters, url }: OAuthServerOptions) {
  const grants: Grant[] = [{ refreshToken: credentials.refreshToken, scopes: [...scopes], live: [], times: [] }]
  const codes: Code[] = []

  function newToken(grant: Grant) {
    const token = { value: `1000.fake.${randomUUID()}`, expires: now() + TOKEN_LIFE_MS }
    grant.live.push(token)
    if (grant.live.length > LIVE_TOKENS) grant.live.shift()
    const life = {
      seconds: { expires_in: 3600 },
      milliseconds: { expires_in: 3_600_000 },
      both: { expires_in: 3_600_000, expires_in_sec: 3600 },
    }
    return {
      access_token: token.value,
      scope: grant.scopes.join(','),
      api_domain: toggles.apiDomain ?? url(),
      token_type: 'Bearer',
      ...life[toggles.expiresIn],
    }
  }
  function throttled(grant: Grant): boolean {
    while (grant.times.length > 0 && now() - grant.times[0]! >= 600_000) grant.times.shift()
    if (grant.times.length >= TOKENS_PER_10_MINUTES) return true
    grant.times.push(now())
    return false
  }
  function addGrant(scopesOfIt: string[]): Grant {
    const grant = { refreshToken: `1000.fake-refresh.${randomUUID()}`, scopes: scopesOfIt, live: [], times: [] }
    grants.push(grant)
    if (grants.length > REFRESH_TOKENS) grants.shift()
    return grant
  }

  return {
    grants,

    /** Issues a grant code as the API console or the consent page does; it works once. */
    issueCode({ scopes: asked = scopes, offline = true, redirectUri = null as string | null, lifeMs = CODE_LIFE_MS } = {}): string {
      const code = { value: `1000.fake-code.${randomUUID()}`, scopes: asked, expires: now() + lifeMs, offline, redirectUri }
      codes.push(code)
      return code.value
    },
    /**
     * Returns the scopes of a request's token; null without a valid one. A token in the query is
     * ignored.
     */
    scopesOf(request: FastifyRequest): string[] | null {
      const [scheme, value] = (request.headers.authorization ?? '').split(' ')
      if (scheme !== 'Zoho-oauthtoken' && scheme !== 'Bearer') return null
      return grants.find((grant) => grant.live.some((it) => it.value === value && it.expires > now()))?.scopes ?? null
    },
    /** All access tokens expire; the refresh tokens still work. */
    expireTokens: () => grants.forEach((grant) => void grant.live.splice(0)),
    /** The refresh tokens are revoked, and with them their access tokens. */
    revoke: () => void grants.splice(0),

    routes(app: FastifyInstance): void {
      app.get<{ Querystring: ConsentQuery }>('/oauth/v2/auth', async ({ query }, reply) => {
        const wrong =
          query.client_id !== credentials.clientId
            ? 'invalid_client'
            : query.response_type !== 'code' || !query.redirect_uri
              ? 'invalid_request'
              : null
        if (wrong) return reply.code(400).type('text/html').send(`<h1>${wrong}</h1>`)
        const decided = (response: string) =>
          `/oauth/v2/auth/decide?${new URLSearchParams({ ...query, answer: response })}`.replaceAll('&', '&amp;')
        const list = (query.scope ?? '').split(',').map((scope) => `<li>${scope.replace(/[^\w.]/g, '')}</li>`)
        return reply
          .type('text/html; charset=utf-8')
          .send(`<!doctype html><title>Zoho (simulated)</title><h1>Allow access?</h1><ul>${list.join('')}</ul>
<p><a id="accept" href="${decided('accept')}">Accept</a> <a id="reject" href="${decided('reject')}">Reject</a></p>`)
      })
      app.get<{ Querystring: ConsentQuery & { answer?: string } }>('/oauth/v2/auth/decide', async ({ query }, reply) => {
        const back = new URL(query.redirect_uri ?? '')
        if (query.state !== undefined) back.searchParams.set('state', query.state)
        if (query.answer !== 'accept') back.searchParams.set('error', 'access_denied')
        else {
          const offline = query.access_type === 'offline'
          back.searchParams.set(
            'code',
            this.issueCode({ scopes: (query.scope ?? '').split(','), offline, redirectUri: query.redirect_uri ?? null }),
          )
          back.searchParams.set('location', 'us')
          back.searchParams.set('accounts-server', url())
        }
        return reply.redirect(back.href, 302)
      })
      app.all('/oauth/v2/token', async (request, reply) => {
        counters.token++
        if (request.method !== 'POST') return reply.code(400).send({ error: 'invalid_request' })
        if (faults.answered(request, reply)) return reply
        const given = parametersOf(request)
        if (!given.grant_type) return reply.code(400).send({ error: 'invalid_request' })
        if (given.client_id !== credentials.clientId) return { error: 'invalid_client' }
        if (given.client_secret !== credentials.clientSecret) return { error: 'invalid_client_secret' }
        if (given.grant_type === 'authorization_code') {
          const at = codes.findIndex((it) => it.value === given.code)
          const [code] = at < 0 ? [] : codes.splice(at, 1)
          if (!code || code.expires <= now()) return { error: 'invalid_code' }
          if (code.redirectUri !== null && code.redirectUri !== given.redirect_uri) return { error: 'invalid_redirect_uri' }
          const grant = addGrant(code.scopes)
          grant.times.push(now())
          return { ...newToken(grant), ...(code.offline && { refresh_token: grant.refreshToken }) }
        }
        if (given.grant_type !== 'refresh_token') return reply.code(400).send({ error: 'invalid_grant' })
        const grant = grants.find((it) => it.refreshToken === given.refresh_token)
        if (!grant) return { error: 'invalid_code' }
        if (!throttled(grant)) return newToken(grant)
        const long = { error_description: TOO_MANY, error: 'Access Denied', status: 'failure' }
        if (toggles.tokenThrottle === 'long_400') return reply.code(400).send(long)
        if (toggles.tokenThrottle === 'long_200') return long
        if (toggles.tokenThrottle === 'denied_200') return { error: 'access_denied' }
        return { error_description: '您连续发出的请求过多，请稍后再试。', error: '拒绝访问', status: 'failure' }
      })
      for (const path of ['/oauth/v2/token/revoke', '/oauth/v2/revoke/token']) {
        app.post(path, async (request, reply) => {
          const { token } = parametersOf(request)
          const whole = grants.findIndex((it) => it.refreshToken === token)
          if (whole >= 0) grants.splice(whole, 1)
          else {
            const grant = grants.find((it) => it.live.some((live) => live.value === token))
            if (!grant) return reply.code(400).send({ error: 'invalid_token' })
            grant.live = grant.live.filter((live) => live.value !== token)
          }
          return { status: 'success' }
        })
      }
    },
  }
}

/** Parameters may be in the query or a form, and id and secret in Basic. */
function parametersOf(request: FastifyRequest): Record<string, string | undefined> {
  const [scheme, encoded = ''] = (request.headers.authorization ?? '').split(' ')
  const [client_id, client_secret] = scheme === 'Basic' ? Buffer.from(encoded, 'base64').toString('utf8').split(':') : []
  return {
    ...(client_id && { client_id, client_secret }),
    ...(request.query as Record<string, string>),
    ...(request.body as Record<string, string> | null),
  }
}
