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

/** Zoho's numbers and CRM's words as codes of ours; what is one of ours already (`timeout`, `http_502`) stays. */
export const errorCodeOf = (zohoCode: string): string => CODES[zohoCode] ?? (isOwnCode(zohoCode) ? zohoCode : 'zoho_refused')
const isOwnCode = (code: string): boolean => /^[a-z]/.test(code)
/** Zoho's own code for `detail`, beside ours. */
export const zohoDetail = (code: string): { zoho_code?: string } => (isOwnCode(code) || NOT_OF_ZOHO.has(code) ? {} : { zoho_code: code })
/** Statuses of responses that carried no code of Zoho's. */
const NOT_OF_ZOHO = new Set(['401', '429'])
/** A bare 401. */
export const NO_CODE = '401'

/** Zoho lets nobody through until `resetsAt`: a state with an end, not an error of anybody. */
export class RateLimitedError extends BadGatewayError {
  readonly resetsAt: Date
  constructor(message: Message, resetsAt: Date) {
    super(inEnglish(message))
    this.resetsAt = resetsAt
  }
}

/** The day's calls are spent. */
export class QuotaExceededError extends RateLimitedError {
  constructor(resetsAt: Date) {
    super(message('daily_quota_exceeded', { resets_at: resetsAt.toISOString() }), resetsAt)
  }
}

/** Trying again does not help: somebody has to change credentials, scopes or the organisation. */
export class ConfigurationError<K extends MessageKey = MessageKey> extends BadGatewayError<K> {}

/** Zoho says that there is nothing under this address: the item, or its picture. */
export class ZohoNotFoundError<K extends MessageKey = MessageKey> extends BadGatewayError<K> {}

/** Zoho takes the call for wrong (HTTP 400 or 414 and the like): asking the same again does not help. */
export class ZohoRequestError<K extends MessageKey = MessageKey> extends BadGatewayError<K> {}

/** Zoho did not answer properly, several times in a row: an outage, or the line. */
export class ZohoUnavailableError<K extends MessageKey = MessageKey> extends BadGatewayError<K> {}
