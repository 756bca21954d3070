import { BadGatewayError } from '../lib/errors.ts'
import type { Message } from '../messages/message.ts'
import { inEnglish, type MessageKey, message } from '../messages/say.ts'

const CODES: Record<string, string> = {
  '43': 'zoho_minute_limit',
  '44': 'zoho_minute_limit',
  '45': 'zoho_day_limit',
  '57': 'scope_missing',
  '429': 'zoho_minute_limit',
  '1002': 'not_found_in_zoho',
  '1070': 'zoho_concurrency_limit',
  '2006': 'not_found_in_zoho',
  '6041': 'unknown_organization',
  LIMIT_EXCEEDED: 'zoho_day_limit',
  NO_PERMISSION: 'scope_missing',
  OAUTH_SCOPE_MISMATCH: 'scope_missing',
  TOO_MANY_REQUESTS: 'zoho_minute_limit',
}

/**
 * Maps Zoho's numbers and CRM's words to our codes; one that is ours already (`timeout`,
 * `http_502`) stays.
 */
export const errorCodeOf = (zohoCode: string): string => CODES[zohoCode] ?? (isOwnCode(zohoCode) ? zohoCode : 'zoho_refused')
const isOwnCode = (code: string): boolean => /^[a-z]/.test(code)
/** Zoho's own code for `detail`, next to ours. */
export const zohoDetail = (code: string): { zoho_code?: string } => (isOwnCode(code) || NOT_OF_ZOHO.has(code) ? {} : { zoho_code: code })
/** Statuses of responses that had no Zoho code. */
const NOT_OF_ZOHO = new Set(['401', '429'])
/** A 401 without a code. */
export const NO_CODE = '401'

/** Zoho refuses all calls until `resetsAt`: a state that ends, not an error to repair. */
export class RateLimitedError extends BadGatewayError {
  readonly resetsAt: Date
  constructor(message: Message, resetsAt: Date) {
    super(inEnglish(message))
    this.resetsAt = resetsAt
  }
}

/** The day's calls are used up. */
export class QuotaExceededError extends RateLimitedError {
  constructor(resetsAt: Date) {
    super(message('daily_quota_exceeded', { resets_at: resetsAt.toISOString() }), resetsAt)
  }
}

/** A retry does not help: a person has to change credentials, scopes or the organization. */
export class ConfigurationError<K extends MessageKey = MessageKey> extends BadGatewayError<K> {}

/** Zoho has nothing under this URL: the item or its image does not exist. */
export class ZohoNotFoundError<K extends MessageKey = MessageKey> extends BadGatewayError<K> {}

/** Zoho considers the request wrong (HTTP 400, 414 and the like): repeating it does not help. */
export class ZohoRequestError<K extends MessageKey = MessageKey> extends BadGatewayError<K> {}

/** Zoho did not answer properly several times in a row: an outage, or the network. */
export class ZohoUnavailableError<K extends MessageKey = MessageKey> extends BadGatewayError<K> {}
