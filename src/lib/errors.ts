import type { Params } from '../messages/message.ts'
import { type Arguments, type Given, inEnglish, type MessageKey, message, type Said } from '../messages/say.ts'

export type AppErrorOptions = ErrorOptions

type Rest<K extends MessageKey, O> = [...Arguments<K>, options?: O]

/**
 * An expected error with a name. Anything else is a bug and becomes a bare 500. `code` is stable
 * and snake_case (programs depend on it); its texts are in `src/messages/en.ts` under the key that
 * it is made with. The subclass says the kind; http/plugins/error-handler.ts maps kinds to
 * statuses.
 */
export abstract class AppError<K extends MessageKey = MessageKey> extends Error implements Said {
  readonly code: string
  readonly params: Params
  readonly remedy: string | undefined
  /** With texts that were made before: of a row, or of another server. */
  constructor(said: Said, options?: AppErrorOptions)
  constructor(key: K, ...rest: Rest<K, AppErrorOptions>)
  constructor(keyOrSaid: MessageKey | Said, ...rest: unknown[]) {
    const { said, options } = readArguments(keyOrSaid, rest)
    super(said.message, options)
    this.code = said.code
    this.params = said.params
    this.remedy = said.remedy
  }
  override get name() {
    return this.constructor.name
  }
  /** What the API sends besides code and message: the parameters, and the next step for people. */
  get detail(): Record<string, unknown> | undefined {
    return detailOf(this)
  }
}

function readArguments(keyOrSaid: MessageKey | Said, rest: unknown[]): { said: Said; options: AppErrorOptions | undefined } {
  if (typeof keyOrSaid !== 'string') return { said: keyOrSaid, options: rest[0] as AppErrorOptions | undefined }
  const [params = {}, options] = rest as [Params?, AppErrorOptions?]
  return { said: inEnglish(message(keyOrSaid, params as never)), options }
}

/** Returns the `detail` of an API error. */
export function detailOf({ params, remedy }: Pick<Said, 'params' | 'remedy'>): Record<string, unknown> | undefined {
  if (remedy !== undefined) return { ...params, remedy }
  return Object.keys(params).length === 0 ? undefined : params
}

/** Returns Zoho's code in an error; undefined where there is none. */
export const zohoCodeOf = ({ params }: Pick<Said, 'params'>): string | undefined =>
  typeof params.zoho_code === 'string' ? params.zoho_code : undefined

export class BadRequestError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class UnauthorizedError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class ForbiddenError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class NotFoundError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class ConflictError<K extends MessageKey = MessageKey> extends AppError<K> {}
/** It existed and no longer does: deleted, expired, replaced. */
export class GoneError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class PayloadTooLargeError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class UriTooLongError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class UnsupportedMediaTypeError<K extends MessageKey = MessageKey> extends AppError<K> {}
/** The state that the client expects has changed. */
export class PreconditionFailedError<K extends MessageKey = MessageKey> extends AppError<K> {}
/** The requested range begins after the end. */
export class RangeNotSatisfiableError<K extends MessageKey = MessageKey> extends AppError<K> {}
/**
 * Bytes that are not a usable image: not_an_image truncated corrupt too_many_pixels side_too_long.
 */
export class InvalidImageError<K extends MessageKey = MessageKey> extends AppError<K> {}

/** Too many requests; `retryAfterMs` says when a retry makes sense. */
export class TooManyRequestsError<K extends MessageKey = MessageKey> extends AppError<K> {
  readonly retryAfterMs: number
  constructor(key: K, params: Given<K>, options: AppErrorOptions & { retryAfterMs: number }) {
    super(inEnglish(message(key, params as never)), options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Zoho (or another server that zinc called) failed; `code` is its own code where it sent one. */
export class BadGatewayError<K extends MessageKey = MessageKey> extends AppError<K> {}

/** Unavailable at the moment: database unreachable, disk full, too much work waiting. */
export class ServiceUnavailableError<K extends MessageKey = MessageKey> extends AppError<K> {
  readonly retryAfterMs: number | undefined
  constructor(said: Said, options?: AppErrorOptions & { retryAfterMs?: number })
  constructor(key: K, ...rest: Rest<K, AppErrorOptions & { retryAfterMs?: number }>)
  constructor(keyOrSaid: K | Said, ...rest: unknown[]) {
    const { said, options } = readArguments(keyOrSaid, rest)
    super(said, options)
    this.retryAfterMs = (options as { retryAfterMs?: number } | undefined)?.retryAfterMs
  }
}

/**
 * The start must not continue: wrong configuration (exit status 2) or a part that cannot be opened
 * (exit status 1).
 */
export class StartupError<K extends MessageKey = MessageKey> extends AppError<K> {
  readonly exitStatus: 1 | 2
  constructor(key: K, params: Given<K>, options: AppErrorOptions & { exitStatus: 1 | 2 }) {
    super(inEnglish(message(key, params as never)), options)
    this.exitStatus = options.exitStatus
  }
}
