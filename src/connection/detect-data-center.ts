import type { Dispatcher } from 'undici'
import { DATA_CENTERS, type DataCenter } from '../facts/data-centers.ts'

import type { Clock } from '../lib/clock.ts'
import { ConfigurationError } from '../zoho/errors.ts'
import { requestToken } from '../zoho/oauth.ts'
import type { Credentials } from '../zoho/token-refresh.ts'
import type { DataCenterEndpoints } from './create-client.ts'

/**
 * A wrong data center looks like wrong credentials: only after these codes are the others tried.
 */
export const RETRY_IN_OTHER_DATA_CENTER: ReadonlySet<string> = new Set(['invalid_client', 'invalid_code'])

/**
 * Asks the sign-in of every other data center in the table once whether it knows these credentials;
 * returns null when none does. The credentials are sent only to hosts of the table, never to one
 * that a response named.
 */
export async function findDataCenter(
  { credentials, dataCenters, except }: { credentials: Credentials; dataCenters: DataCenterEndpoints; except: DataCenter },
  { clock, dispatcher, signal }: { clock: Clock; dispatcher: Dispatcher; signal: AbortSignal },
): Promise<DataCenter | null> {
  const parameters = {
    grant_type: 'refresh_token',
    client_id: credentials.clientId,
    client_secret: credentials.clientSecret,
    refresh_token: credentials.refreshToken,
  }
  const responses = await Promise.all(
    DATA_CENTERS.filter((it) => it !== except).map(async (dataCenter) => {
      try {
        await requestToken(
          { accountsUrl: dataCenters[dataCenter].accountsUrl, purpose: 'refresh', parameters },
          { clock, dispatcher, signal },
        )
        return dataCenter
      } catch {
        return null // unknown there, or unreachable: not the data center of these credentials
      }
    }),
  )
  return responses.find((it) => it !== null) ?? null
}

export const wrongDataCenter = (found: DataCenter, set: DataCenter, dataCenters: DataCenterEndpoints): ConfigurationError =>
  new ConfigurationError('wrong_data_center', { data_center: found, set, accounts_url: dataCenters[found].accountsUrl })
