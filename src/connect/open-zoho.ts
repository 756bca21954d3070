import type { Logger } from 'pino'
import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Database } from '../db.ts'
import type { Secrets } from '../settings/secrets.ts'
import { createZohoClient, type ZohoClient } from '../zoho/client.ts'
import { signInFailure } from '../zoho/failures.ts'
import { REGIONS } from '../zoho/regions.ts'
import { createTokens } from '../zoho/tokens.ts'
import { createCallBudget } from './call-budget.ts'
import { createTokenStore } from './token-store.ts'

export interface OpenZohoDeps {
  db: Database
  secrets: Secrets
  clock: Clock
  log: Logger
  dispatcher: Dispatcher
  settings: Config['zoho']
}

/** A client with the credentials that are set now; its token and budget are shared with every other client through PostgreSQL. Throws NeedsPerson `not_set_up`. */
export function openZoho(
  { db, secrets, clock, log, dispatcher, settings }: OpenZohoDeps,
  onWait?: (wait: { reason: string; until: Date }) => void,
): ZohoClient {
  const { clientId, clientSecret, refreshToken, organizationId } = settings
  if (!clientId || !clientSecret || !refreshToken || !organizationId) throw signInFailure('not_set_up')
  const region = REGIONS[settings.dataCenter ?? 'com']
  const credentials = { clientId, clientSecret, refreshToken }
  const tokens = createTokens({
    accountsUrl: settings.accountsUrl ?? region.accountsUrl,
    credentials,
    store: createTokenStore({ db, secrets, credentials }),
    clock,
    dispatcher,
  })
  const limits = { perMinute: settings.requestsPerMinute, perDay: settings.requestsPerDay, concurrency: settings.concurrency }
  const budget = createCallBudget({ db, organization: organizationId, limits, clock, log, onWait })
  return createZohoClient({ apiUrl: settings.apiUrl ?? region.apiUrl, organizationId, tokens, budget, clock, dispatcher })
}
