/** A response that is no success. `code` is stable: programs switch on it. */
export class ZincError extends Error {
  readonly status: number
  readonly code: string
  /** What the error is about; `detail.remedy` says what to do next. */
  readonly detail: Record<string, unknown>
  readonly requestId: string | null
  constructor({ status, code, message, detail, requestId }: Pick<ZincError, 'status' | 'code' | 'message' | 'detail' | 'requestId'>) {
    super(message)
    this.name = new.target.name
    this.status = status
    this.code = code
    this.detail = detail
    this.requestId = requestId
  }
}

/**
 * zinc has forgotten deletions after this cursor. Start without a cursor, and remove what does not
 * come.
 */
export class CursorExpiredError extends ZincError {}

/** The cursor is of another database, for example of before a restore. Start without a cursor. */
export class EpochChangedError extends ZincError {}

const KINDS: Record<string, typeof ZincError> = { cursor_expired: CursorExpiredError, epoch_changed: EpochChangedError }

/** Makes a ZincError of what the generated client throws for a response; other errors stay. */
export function toZincError(error: Error): Error {
  if (!('status' in error) || typeof error.status !== 'number') return error
  const body = 'body' in error && typeof error.body === 'object' && error.body !== null ? (error.body as Record<string, unknown>) : {}
  const code = typeof body.code === 'string' ? body.code : `http_${error.status}`
  const kind = KINDS[code] ?? ZincError
  return new kind({
    status: error.status,
    code,
    message: typeof body.message === 'string' ? body.message : error.message,
    detail: (body.detail as Record<string, unknown> | undefined) ?? {},
    requestId: typeof body.request_id === 'string' ? body.request_id : null,
  })
}
