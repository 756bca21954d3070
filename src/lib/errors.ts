/** What may stand beside a failure: facts for machines in `detail`, the next step for people in `remedy`. */
export interface AppErrorOptions extends ErrorOptions {
  detail?: Record<string, unknown> | undefined
  /** What the person who sees this does next, in words. Shown as `detail.remedy`. */
  remedy?: string | undefined
}

/**
 * A failure that we expected and can name. Anything else is a bug and becomes a bare 500.
 * `code` is stable and snake_case (machines switch on it), `message` is for people.
 * The subclass says the kind; http/plugins/error-handler.ts maps kinds to statuses, once.
 */
export abstract class AppError extends Error {
  readonly code: string
  readonly detail: Record<string, unknown> | undefined
  constructor(code: string, message: string, { detail, remedy, ...options }: AppErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.detail = remedy === undefined ? detail : { ...detail, remedy }
  }
  override get name() {
    return this.constructor.name
  }
}

/** The code that Zoho gave with a failure; undefined where it gave none. */
export const zohoCodeOf = ({ detail }: AppError): string | undefined =>
  typeof detail?.zoho_code === 'string' ? detail.zoho_code : undefined

export class BadRequestError extends AppError {}
export class UnauthorizedError extends AppError {}
export class ForbiddenError extends AppError {}
/** An API key lacks what the operation asks for. */
export class InsufficientScopeError extends ForbiddenError {
  readonly scope: string
  constructor(scope: string) {
    super('insufficient_scope', `The API key lacks the scope ${scope}`, {
      detail: { required_scope: scope },
      remedy: 'Make a key with this scope. A key never may more than the person who made it.',
    })
    this.scope = scope
  }
}
export class NotFoundError extends AppError {}
export class ConflictError extends AppError {}
/** It was there and is not any more: deleted, expired, replaced. */
export class GoneError extends AppError {}
export class PayloadTooLargeError extends AppError {}
export class UriTooLongError extends AppError {}
export class UnsupportedMediaTypeError extends AppError {}
/** What the asker takes for granted of it is not so any more. */
export class PreconditionFailedError extends AppError {}
/** The part that was asked for lies behind the end. */
export class RangeNotSatisfiableError extends AppError {}
/** Bytes that are not a picture we can use: not_an_image truncated corrupt too_many_pixels side_too_long. */
export class InvalidImageError extends AppError {}

/** Asked too often; `retryAfterMs` says when it is worth asking again. */
export class TooManyRequestsError extends AppError {
  readonly retryAfterMs: number
  constructor(code: string, message: string, { retryAfterMs, ...facts }: AppErrorOptions & { retryAfterMs: number }) {
    super(code, message, facts)
    this.retryAfterMs = retryAfterMs
  }
}

/** Zoho (or another server that we asked) failed us; `code` is its own code where it gave one. */
export class BadGatewayError extends AppError {}

/** We cannot serve this now: database gone, disk full, too much work waiting. */
export class ServiceUnavailableError extends AppError {
  readonly retryAfterMs: number | undefined
  constructor(code: string, message: string, { retryAfterMs, ...facts }: AppErrorOptions & { retryAfterMs?: number } = {}) {
    super(code, message, facts)
    this.retryAfterMs = retryAfterMs
  }
}

/** The start must not go on: wrong configuration (exit status 2) or a part that cannot be opened (exit status 1). */
export class StartupError extends AppError {
  readonly exitStatus: 1 | 2
  constructor(code: string, message: string, { exitStatus, ...facts }: AppErrorOptions & { exitStatus: 1 | 2 }) {
    super(code, message, facts)
    this.exitStatus = exitStatus
  }
}
