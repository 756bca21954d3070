import { FAKE_CREDENTIALS } from '../src/zoho-simulator/simulator.ts'

/**
 * The least that a client of Zoho can be: signs in once and fetches, with no limit, no retry and no
 * look at what comes. `calls()` counts.
 */
export async function openBareZoho(url: string) {
  const form = {
    grant_type: 'refresh_token',
    client_id: FAKE_CREDENTIALS.clientId,
    client_secret: FAKE_CREDENTIALS.clientSecret,
    refresh_token: FAKE_CREDENTIALS.refreshToken,
  }
  const response = await fetch(`${url}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) })
  const { access_token } = (await response.json()) as { access_token: string }
  let calls = 0
  return {
    calls: () => calls,
    async get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
      calls++
      const search = new URLSearchParams({ organization_id: FAKE_CREDENTIALS.organizationId, ...query })
      const response = await fetch(`${url}${path}?${search}`, { headers: { authorization: `Zoho-oauthtoken ${access_token}` } })
      return (await response.json()) as T
    },
  }
}
