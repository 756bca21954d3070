import type { Dispatcher } from 'undici'
import { DATA_CENTERS, type DataCenter } from '../facts/data-centers.ts'

import type { Clock } from '../lib/clock.ts'
import { ConfigurationError } from '../zoho/errors.ts'
import { requestToken } from '../zoho/oauth.ts'
import type { Credentials } from '../zoho/token-refresh.ts'
import type { DataCenterEndpoints } from './create-client.ts'

/** A wrong data centre looks like wrong credentials: only after these is it worth looking. */
export const RETRY_IN_OTHER_DATA_CENTER: ReadonlySet<string> = new Set(['invalid_client', 'invalid_code'])

/**
 * Asks the sign-in of every other data centre of the table once whether it knows these credentials; null: none does.
 * Only hosts of the table ever see them, and never one that a reply named.
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
        return null // unknown there, or not reachable: either way not the one that is looked for
      }
    }),
  )
  return responses.find((it) => it !== null) ?? null
}

export const wrongDataCenter = (found: DataCenter, set: DataCenter, dataCenters: DataCenterEndpoints): ConfigurationError =>
  new ConfigurationError('wrong_data_center', { data_center: found, set, accounts_url: dataCenters[found].accountsUrl })
