/**
 * What went wrong with one request, in the shape that an error card shows. Everything that is
 * thrown by `call` is one of these.
 */
export class ApiError extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  /**
   * Stable and snake_case, as the API gives it; `network` and `unreadable_response` are the page's
   * own.
   */
  readonly code: string
  readonly remedy: string | null
  readonly detail: Record<string, unknown>
  readonly requestId: string | null
  readonly url: string
  readonly at: string

  constructor(
    message: string,
    facts: {
      status: number
      code: string
      url: string
      remedy?: string | null
      detail?: Record<string, unknown>
      requestId?: string | null
    },
  ) {
    super(message)
    this.name = 'ApiFailure'
    this.status = facts.status
    this.code = facts.code
    this.remedy = facts.remedy ?? null
    this.detail = facts.detail ?? {}
    this.requestId = facts.requestId ?? null
    this.url = facts.url
    this.at = new Date().toISOString()
  }

  /** The run that stands in the way (409) or that failed, if the answer names one. */
  get runId(): string | null {
    return typeof this.detail.run_id === 'string' ? this.detail.run_id : null
  }

  /** For support: what happened where and when. It holds nothing that was typed and no token. */
  forSupport(): string {
    return [
      `code: ${this.code}`,
      `status: ${this.status}`,
      `message: ${this.message}`,
      `request: ${this.url}`,
      ...(this.requestId ? [`request_id: ${this.requestId}`] : []),
      `time: ${this.at}`,
    ].join('\n')
  }
}

/** Anything thrown, as a failure that can be shown: a bug of the page itself is named as such. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  return new ApiError(error instanceof Error ? error.message : String(error), {
    status: 0,
    code: 'page_error',
    url: location.pathname,
  })
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads a failed answer of any kind: ours, a proxy's HTML, an empty one. */
export async function parseError(response: Response, url: string): Promise<ApiError> {
  const requestId = response.headers.get('x-request-id')
  const body: unknown = await response.json().catch(() => null)
  if (!isRecord(body) || typeof body.code !== 'string')
    return new ApiError(`The answer had status ${response.status} and no explanation`, {
      status: response.status,
      code: response.status >= 502 && response.status <= 504 ? 'server_unreachable' : 'unreadable_response',
      url,
      requestId,
    })
  const detail = isRecord(body.detail) ? body.detail : {}
  return new ApiError(typeof body.message === 'string' ? body.message : body.code, {
    status: response.status,
    code: body.code,
    url,
    remedy: typeof detail.remedy === 'string' ? detail.remedy : null,
    detail: typeof body.run_id === 'string' ? { run_id: body.run_id, ...detail } : detail,
    requestId: requestId ?? (typeof body.request_id === 'string' ? body.request_id : null),
  })
}
