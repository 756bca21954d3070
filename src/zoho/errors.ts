import { type AppErrorOptions, BadGatewayError } from '../lib/errors.ts'

/** Zoho lets nobody through until `resetsAt`: a state with an end, not an error of anybody. */
export class RateLimitedError extends BadGatewayError {
  readonly resetsAt: Date
  constructor(code: string, message: string, resetsAt: Date, facts: AppErrorOptions = {}) {
    super(code, message, { remedy: `It goes on by itself at ${resetsAt.toISOString()}.`, ...facts })
    this.resetsAt = resetsAt
  }
}

/** The day's calls are spent. */
export class QuotaExceededError extends RateLimitedError {
  constructor(resetsAt: Date, facts: AppErrorOptions = {}) {
    super('daily_quota_exceeded', "The day's quota of Zoho calls is spent", resetsAt, facts)
  }
}

/** Trying again does not help: somebody has to change credentials, scopes or the organisation. */
export class ConfigurationError extends BadGatewayError {}

/** Zoho says that there is nothing under this address: the item, or its picture. */
export class ZohoNotFoundError extends BadGatewayError {
  constructor(what: string) {
    super('not_found_in_zoho', `Zoho has no ${what}`)
  }
}

/** Zoho takes the call for wrong (HTTP 400 or 414 and the like): asking the same again does not help. */
export class ZohoRequestError extends BadGatewayError {}

/** Zoho did not answer properly, several times in a row: an outage, or the line. */
export class ZohoUnavailableError extends BadGatewayError {}
