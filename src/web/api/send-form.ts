import { ApiFailure, readFailure } from './api-error.ts'
import { AUTH } from './endpoints.ts'
import { call } from './request.ts'

interface SendOptions {
  signal: AbortSignal
  /** 0 to 1; called often while the bytes leave. */
  onProgress(share: number): void
}

/**
 * Posts a form and says how much of it has left, which `fetch` cannot. Otherwise like `call`: throws ApiFailure; a session that
 * has to be renewed is renewed once.
 */
export async function sendForm<T>(path: string, form: FormData, options: SendOptions): Promise<T> {
  let answer = await post(path, form, options)
  if (answer.status === 401) {
    // Asking who is logged in renews the session, or ends it for the whole page.
    await call(`${AUTH}/me`)
    answer = await post(path, form, options)
  }
  if (!answer.ok) throw await readFailure(answer, `POST ${path}`)
  return (await answer.json()) as T
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
    request.onerror = () => reject(new ApiFailure('The server did not answer', { status: 0, code: 'network', address: `POST ${path}` }))
    request.onabort = () => reject(signal.reason)
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(form)
  })
}
