import type { Params } from '../messages/message.ts'
import { type Arguments, type Given, inEnglish, type MessageKey, message, type Said } from '../messages/say.ts'

export type AppErrorOptions = ErrorOptions

type Rest<K extends MessageKey, O> = [...Arguments<K>, options?: O]

/**
 * A failure that we expected and can name. Anything else is a bug and becomes a bare 500.
 * `code` is stable and snake_case (machines switch on it); its sentences stand in `src/messages/en.ts` under the key that it is made with.
 * The subclass says the kind; http/plugins/error-handler.ts maps kinds to statuses, once.
 */
export abstract class AppError<K extends MessageKey = MessageKey> extends Error implements Said {
  readonly code: string
  readonly params: Params
  readonly remedy: string | undefined
  /** With sentences that were made before: of a row, or of another server. */
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
  /** What the API sends beside code and message: the facts, and the next step for people. */
  get detail(): Record<string, unknown> | undefined {
    return detailOf(this)
  }
}

function readArguments(keyOrSaid: MessageKey | Said, rest: unknown[]): { said: Said; options: AppErrorOptions | undefined } {
  if (typeof keyOrSaid !== 'string') return { said: keyOrSaid, options: rest[0] as AppErrorOptions | undefined }
  const [params = {}, options] = rest as [Params?, AppErrorOptions?]
  return { said: inEnglish(message(keyOrSaid, params as never)), options }
}

/** `detail` of a failure of the API. */
export function detailOf({ params, remedy }: Pick<Said, 'params' | 'remedy'>): Record<string, unknown> | undefined {
  if (remedy !== undefined) return { ...params, remedy }
  return Object.keys(params).length === 0 ? undefined : params
}

/** The code that Zoho gave with a failure; undefined where it gave none. */
export const zohoCodeOf = ({ params }: Pick<Said, 'params'>): string | undefined =>
  typeof params.zoho_code === 'string' ? params.zoho_code : undefined

export class BadRequestError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class UnauthorizedError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class ForbiddenError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class NotFoundError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class ConflictError<K extends MessageKey = MessageKey> extends AppError<K> {}
/** It was there and is not any more: deleted, expired, replaced. */
export class GoneError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class PayloadTooLargeError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class UriTooLongError<K extends MessageKey = MessageKey> extends AppError<K> {}
export class UnsupportedMediaTypeError<K extends MessageKey = MessageKey> extends AppError<K> {}
/** What the asker takes for granted of it is not so any more. */
export class PreconditionFailedError<K extends MessageKey = MessageKey> extends AppError<K> {}
/** The part that was asked for lies behind the end. */
export class RangeNotSatisfiableError<K extends MessageKey = MessageKey> extends AppError<K> {}
/** Bytes that are not a picture we can use: not_an_image truncated corrupt too_many_pixels side_too_long. */
export class InvalidImageError<K extends MessageKey = MessageKey> extends AppError<K> {}

/** Asked too often; `retryAfterMs` says when it is worth asking again. */
export class TooManyRequestsError<K extends MessageKey = MessageKey> extends AppError<K> {
  readonly retryAfterMs: number
  constructor(key: K, params: Given<K>, options: AppErrorOptions & { retryAfterMs: number }) {
    super(inEnglish(message(key, params as never)), options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Zoho (or another server that we asked) failed us; `code` is its own code where it gave one. */
export class BadGatewayError<K extends MessageKey = MessageKey> extends AppError<K> {}

/** We cannot serve this now: database gone, disk full, too much work waiting. */
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

/** The start must not go on: wrong configuration (exit status 2) or a part that cannot be opened (exit status 1). */
export class StartupError<K extends MessageKey = MessageKey> extends AppError<K> {
  readonly exitStatus: 1 | 2
  constructor(key: K, params: Given<K>, options: AppErrorOptions & { exitStatus: 1 | 2 }) {
    super(inEnglish(message(key, params as never)), options)
    this.exitStatus = options.exitStatus
  }
}
