import { ApiError, parseError } from './api-error.ts'
import { AUTH } from './endpoints.ts'

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON; FormData goes as it is. */
  body?: unknown
  /** What is null, undefined or '' is left out. */
  query?: Record<string, string | number | boolean | null | undefined>
  signal?: AbortSignal
}

/** Heard by the session when an answer says that nobody is logged in. */
export const sessionEnd = new EventTarget()

export function buildUrl(path: string, query: RequestOptions['query'] = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value))
  }
  return search.size === 0 ? path : `${path}?${search}`
}

const noAnswer = (url: string) => new ApiError('The server did not answer', { status: 0, code: 'network', url })

let refreshing: Promise<ApiError | null> | null = null

/**
 * Swaps the refresh cookie for new ones, once for all requests that wait for it: a second use of
 * the same one would end the session. Answers why not.
 */
function refreshSession(): Promise<ApiError | null> {
  const path = `${AUTH}/refresh`
  const named = `POST ${path}`
  refreshing ??= fetch(path, { method: 'POST', credentials: 'same-origin', headers: { 'content-type': 'application/json' }, body: '{}' })
    .then(
      (response) => (response.ok ? null : parseError(response, named)),
      () => noAnswer(named),
    )
    .finally(() => {
      refreshing = null
    })
  return refreshing
}

/** The server could not say whether the login is over: nobody is sent to the login for that. */
const saysNothing = ({ status }: ApiError): boolean => status === 0 || status === 429 || status >= 500

/** A wrong password or code is a 401, too, but no end of a session. */
const isLoggedOut = ({ status, code }: ApiError): boolean => status === 401 && code === 'unauthenticated'

/**
 * The page's only way to the server. `T` is the answer's type of the contract; page and server are
 * one release, so it is not parsed again.
 * Throws ApiError, whatever went wrong. The session travels in a cookie that scripts cannot read.
 */
export async function request<T>(path: string, { method = 'GET', body, query, signal }: RequestOptions = {}): Promise<T> {
  const url = buildUrl(path, query)
  const named = `${method} ${path}`
  const isForm = body instanceof FormData
  const init: RequestInit = { method, credentials: 'same-origin', headers: { accept: 'application/json' } }
  if (signal) init.signal = signal
  if (body !== undefined) {
    init.body = isForm ? body : JSON.stringify(body)
    if (!isForm) init.headers = { ...init.headers, 'content-type': 'application/json' }
  }
  const send = async () => {
    try {
      return await fetch(url, init)
    } catch (error) {
      if (signal?.aborted) throw error
      throw noAnswer(named)
    }
  }
  let response = await send()
  let failure = response.ok ? null : await parseError(response, named)
  if (failure && isLoggedOut(failure)) {
    const refused = await refreshSession()
    if (refused && saysNothing(refused)) throw refused
    if (!refused) {
      response = await send()
      failure = response.ok ? null : await parseError(response, named)
    }
    if (failure && isLoggedOut(failure)) sessionEnd.dispatchEvent(new Event('end'))
  }
  if (failure) throw failure
  const data: unknown = await response.json().catch(() => {
    throw new ApiError('The answer is not JSON', { status: response.status, code: 'unreadable_response', url: named })
  })
  return data as T
}
