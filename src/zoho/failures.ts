import { type Facts, UpstreamFailed } from '../errors.ts'

/** The day's calls are spent: a state with an end, not an error of anybody. */
export class DayQuotaSpent extends UpstreamFailed {
  readonly resetsAt: Date
  constructor(resetsAt: Date, facts: Facts = {}) {
    super('day_quota_spent', "The day's quota of Zoho calls is spent", {
      ...facts,
      remedy: `It goes on by itself at ${resetsAt.toISOString()}.`,
    })
    this.resetsAt = resetsAt
  }
}

/** Trying again does not help: somebody has to change credentials, scopes or the organisation. */
export class NeedsPerson extends UpstreamFailed {}

/** Zoho says that there is nothing under this address: the item, or its picture. */
export class NothingThere extends UpstreamFailed {
  constructor(what: string) {
    super('nothing_there', `Zoho has no ${what}`)
  }
}

/** Zoho takes the call for wrong (HTTP 400 or 414 and the like): asking the same again does not help. */
export class CallRefused extends UpstreamFailed {}

/** Zoho did not answer properly, several times in a row: an outage, or the line. */
export class ZohoAway extends UpstreamFailed {}

const SIGN_IN_REMEDIES: Record<string, string> = {
  invalid_client: 'Zoho does not know this client id in this data centre. Check the client id and the data centre.',
  invalid_client_secret: 'The client secret is not the one of this client id. Copy it again from the Zoho API console of your data centre.',
  invalid_code: 'The refresh token was revoked, or belongs to another client or data centre. Connect to Zoho again.',
  invalid_grant: 'The refresh token was revoked, or belongs to another client or data centre. Connect to Zoho again.',
  invalid_redirect_uri: 'The redirect address is not the one that is registered in the Zoho API console.',
  not_set_up: 'Set ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN and ZOHO_ORGANIZATION_ID in .env and start zinc again.',
}

/** The failure of a sign-in, by the code that the token endpoint gave. Codes that are not known may be temporary. */
export function signInFailure(code: string): UpstreamFailed {
  const remedy = SIGN_IN_REMEDIES[code]
  if (remedy)
    return new NeedsPerson(code, code === 'not_set_up' ? 'Zoho is not set up yet' : `Zoho refuses the sign-in: ${code}`, { remedy })
  return new UpstreamFailed('sign_in_failed', 'Zoho does not let zinc sign in just now', {
    detail: { zoho: code.slice(0, 100) },
    remedy: 'Zoho gives few access tokens in ten minutes. Wait 15 minutes; if it stays, connect to Zoho again.',
  })
}
