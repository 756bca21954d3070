import { ApiError, parseError } from './api-error.ts'
import { AUTH } from './endpoints.ts'
import { request } from './request.ts'

interface SendOptions {
  signal: AbortSignal
  /** 0 to 1; called often while the bytes leave. */
  onProgress(share: number): void
}

/**
 * Posts a form and says how much of it has left, which `fetch` cannot. Otherwise like `call`:
 * throws ApiError; a session that
 * has to be renewed is renewed once.
 */
export async function sendForm<T>(path: string, form: FormData, options: SendOptions): Promise<T> {
  let response = await post(path, form, options)
  if (response.status === 401) {
    // Asking who is logged in renews the session, or ends it for the whole page.
    await request(`${AUTH}/me`)
    response = await post(path, form, options)
  }
  if (!response.ok) throw await parseError(response, `POST ${path}`)
  return (await response.json()) as T
}

function post(path: string, form: FormData, { signal, onProgress }: SendOptions): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.setRequestHeader('accept', 'application/json')
    request.upload.onprogress = ({ loaded, total, lengthComputable }) => lengthComputable && onProgress(loaded / total)
    request.onload = () => {
      const id = request.getResponseHeader('x-request-id')
      resolve(new Response(request.responseText, { status: request.status, ...(id && { headers: { 'x-request-id': id } }) }))
    }
    request.onerror = () => reject(new ApiError('The server did not answer', { status: 0, code: 'network', url: `POST ${path}` }))
    request.onabort = () => reject(signal.reason)
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(form)
  })
}
