import type { Logger } from 'pino'
import type { Dispatcher } from 'undici'
import type { Config, DataCenter } from '../config.ts'
import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Secrets } from '../settings/encryption.ts'
import type { Breaker } from '../zoho/circuit-breaker.ts'
import { createZohoClient, type TimeLimits, type ZohoClient } from '../zoho/client.ts'
import { type Endpoints, REGIONS } from '../zoho/data-centers.ts'
import { notSetUp } from '../zoho/oauth-errors.ts'
import type { Wait } from '../zoho/rate-limiter.ts'
import { type Credentials, createTokens, type Tokens } from '../zoho/token-refresh.ts'
import type { ConnectionKeeper } from './connection-state.ts'
import { watchClient } from './observed-client.ts'
import { createCallBudget } from './rate-limiter.ts'
import { createTokenStore } from './token-store.ts'

/** The table of hosts; a test gives one of its own, since nothing may be called there. */
export type Regions = Record<DataCenter, Endpoints>

export interface OpenZohoDeps {
  db: Database
  secrets: Secrets
  clock: Clock
  log: Logger
  dispatcher: Dispatcher
  settings: Config['zoho']
  connection?: ConnectionKeeper | undefined
  regions?: Regions | undefined
  breaker?: Breaker | undefined
  /** Shorter ones in tests. */
  timeLimits?: TimeLimits | undefined
}

type OnWait = (wait: Wait) => void

/** A client with the credentials that are set now; its token and budget are shared with every other client through PostgreSQL. Throws NeedsPerson `not_set_up`. */
export function openZoho(deps: OpenZohoDeps, onWait?: OnWait): ZohoClient {
  if (!deps.settings.organizationId) throw notSetUp(missingCredentials(deps.settings, ['organization_id']))
  return openAccount(deps, onWait).client
}

/** The same before an organisation is chosen: calls that belong to none, and the sign-in itself. */
export function openAccount(deps: OpenZohoDeps, onWait?: OnWait): { client: ZohoClient; tokens: Tokens; endpoints: Endpoints } {
  const { db, secrets, clock, log, dispatcher, settings, connection, regions, breaker, timeLimits } = deps
  const credentials = credentialsOf(settings)
  const endpoints = endpointsOf(settings, regions)
  const tokens = createTokens({
    accountsUrl: endpoints.accountsUrl,
    credentials,
    store: createTokenStore({ db, secrets, credentials }),
    clock,
    dispatcher,
    wholeMs: timeLimits?.signInMs,
  })
  const limits = { perMinute: settings.requestsPerMinute, perDay: settings.requestsPerDay, concurrency: settings.concurrency }
  const organizationId = settings.organizationId ?? null
  const budget = createCallBudget({ db, organization: organizationId ?? 'none', limits, clock, log, onWait })
  const client = createZohoClient({ apiUrl: endpoints.apiUrl, organizationId, tokens, budget, clock, dispatcher, breaker, timeLimits })
  return { client: connection ? watchClient(client, connection) : client, tokens, endpoints }
}

/** Where to sign in and where the API is: of the data centre, unless the environment overrides a host. */
export function endpointsOf(settings: Config['zoho'], regions: Regions = REGIONS): Endpoints {
  const region = regions[settings.dataCenter ?? 'com']
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
