import type { Logger } from 'pino'
import type { Dispatcher } from 'undici'
import type { Config } from '../config.ts'
import type { Database } from '../database/client.ts'
import { DATA_CENTER_ENDPOINTS, type DataCenter, type Endpoints } from '../facts/data-centers.ts'
import type { Clock } from '../lib/clock.ts'
import type { Encryption } from '../settings/encryption.ts'
import type { CircuitBreaker } from '../zoho/circuit-breaker.ts'
import { createZohoClient, type TimeLimits, type ZohoClient } from '../zoho/client.ts'
import { notSetUp } from '../zoho/oauth-errors.ts'
import type { RateLimitWait } from '../zoho/rate-limiter.ts'
import { type Credentials, createTokens, type Tokens } from '../zoho/token-refresh.ts'
import type { ConnectionStateStore } from './connection-state.ts'
import { withConnectionTracking } from './observed-client.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { createTokenStore } from './token-store.ts'

/** The table of hosts; tests pass their own, since they may not call Zoho. */
export type DataCenterEndpoints = Record<DataCenter, Endpoints>

export interface OpenZohoDeps {
  db: Database
  encryption: Encryption
  clock: Clock
  log: Logger
  dispatcher: Dispatcher
  settings: Config['zoho']
  connection?: ConnectionStateStore | undefined
  dataCenters?: DataCenterEndpoints | undefined
  breaker?: CircuitBreaker | undefined
  /** Shorter ones in tests. */
  timeLimits?: TimeLimits | undefined
  /** The organization's, as it was last reported. */
  timeZone?: string | null | undefined
}

type OnWait = (wait: RateLimitWait) => void

/**
 * Returns a client with the present credentials; its token and rate limit are shared with every
 * other client through PostgreSQL. Throws ConfigurationError `not_set_up`.
 */
export function createClient(deps: OpenZohoDeps, onWait?: OnWait): ZohoClient {
  if (!deps.settings.organizationId) throw notSetUp(missingCredentials(deps.settings, ['organization_id']))
  return createOAuthClient(deps, onWait).client
}

/**
 * The same before an organization is chosen: for calls outside any organization, and for the
 * sign-in itself.
 */
export function createOAuthClient(deps: OpenZohoDeps, onWait?: OnWait): { client: ZohoClient; tokens: Tokens; endpoints: Endpoints } {
  const { db, encryption, clock, log, dispatcher, settings, connection, dataCenters, breaker, timeLimits, timeZone } = deps
  const credentials = credentialsOf(settings)
  const endpoints = endpointsOf(settings, dataCenters)
  const tokens = createTokens({
    accountsUrl: endpoints.accountsUrl,
    credentials,
    store: createTokenStore({ db, encryption, credentials }),
    clock,
    dispatcher,
    wholeMs: timeLimits?.signInMs,
  })
  const { requestsPerMinute: perMinute, requestsPerDay: perDay, concurrency, stockPercent } = settings
  const limits = { perMinute, perDay, concurrency, stockPercent }
  const organizationId = settings.organizationId ?? null
  const rateLimiter = createRateLimiter({ db, organization: organizationId ?? 'none', limits, clock, log, onWait })
  const client = createZohoClient({
    apiUrl: endpoints.apiUrl,
    organizationId,
    timeZone,
    tokens,
    rateLimiter,
    clock,
    dispatcher,
    circuitBreaker: breaker,
    timeLimits,
  })
  return { client: connection ? withConnectionTracking(client, connection) : client, tokens, endpoints }
}

/**
 * Returns where to sign in and where the API is: those of the data center, unless the environment
 * overrides a host.
 */
export function endpointsOf(settings: Config['zoho'], dataCenters: DataCenterEndpoints = DATA_CENTER_ENDPOINTS): Endpoints {
  const region = dataCenters[settings.dataCenter ?? 'com']
  return { accountsUrl: settings.accountsUrl ?? region.accountsUrl, apiUrl: settings.apiUrl ?? region.apiUrl }
}

export function credentialsOf(settings: Config['zoho']): Credentials {
  const { clientId, clientSecret, refreshToken } = settings
  if (clientId && clientSecret && refreshToken) return { clientId, clientSecret, refreshToken }
  throw notSetUp(missingCredentials(settings, []))
}

function missingCredentials({ clientId, clientSecret, refreshToken }: Config['zoho'], more: string[]): string[] {
  return [
    ...(clientId ? [] : ['client_id']),
    ...(clientSecret ? [] : ['client_secret']),
    ...(refreshToken ? [] : ['refresh_token']),
    ...more,
  ]
}
