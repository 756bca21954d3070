/** What went wrong with one request, in the shape that an error card shows. Everything that is thrown by `call` is one of these. */
export class ApiFailure extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  /** Stable and snake_case, as the API gives it; `network` and `unreadable_answer` are the page's own. */
  readonly code: string
  readonly remedy: string | null
  readonly detail: Record<string, unknown>
  readonly requestId: string | null
  readonly address: string
  readonly at: string

  constructor(
    message: string,
    facts: {
      status: number
      code: string
      address: string
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
    this.address = facts.address
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
      `request: ${this.address}`,
      ...(this.requestId ? [`request_id: ${this.requestId}`] : []),
      `time: ${this.at}`,
    ].join('\n')
  }
}

/** Anything thrown, as a failure that can be shown: a bug of the page itself is named as such. */
export function asFailure(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error
  return new ApiFailure(error instanceof Error ? error.message : String(error), {
    status: 0,
    code: 'page_error',
    address: location.pathname,
  })
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads a failed answer of any kind: ours, a proxy's HTML, an empty one. */
export async function readFailure(answer: Response, address: string): Promise<ApiFailure> {
  const requestId = answer.headers.get('x-request-id')
  const body: unknown = await answer.json().catch(() => null)
  if (!isRecord(body) || typeof body.code !== 'string')
    return new ApiFailure(`The answer had status ${answer.status} and no explanation`, {
      status: answer.status,
      code: answer.status >= 502 && answer.status <= 504 ? 'server_unreachable' : 'unreadable_answer',
      address,
      requestId,
    })
  const detail = isRecord(body.detail) ? body.detail : {}
  return new ApiFailure(typeof body.message === 'string' ? body.message : body.code, {
    status: answer.status,
    code: body.code,
    address,
    remedy: typeof detail.remedy === 'string' ? detail.remedy : null,
    detail: typeof body.run_id === 'string' ? { run_id: body.run_id, ...detail } : detail,
    requestId: requestId ?? (typeof body.request_id === 'string' ? body.request_id : null),
  })
}
