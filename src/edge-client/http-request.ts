import http, { type IncomingMessage } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'

export interface RequestOptions {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
  signal: AbortSignal
}

export interface HttpResponse {
  status: number
  header(name: string): string | null
  /** Decompressed. */
  body: Readable
}

/**
 * One HTTP request. Redirects are not followed: zinc sends none. Not `fetch`, which costs a process
 * 14 MB of memory on its first call.
 */
export async function sendRequest(url: string, { method = 'GET', headers = {}, body, signal }: RequestOptions): Promise<HttpResponse> {
  signal.throwIfAborted()
  // TLS takes memory that a plain connection does not need.
  const { request: send } = url.startsWith('https:') ? await import('node:https') : http
  const call = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const request = send(url, { method, signal, headers: { 'accept-encoding': 'gzip, deflate', ...length, ...headers } }, resolve)
      request.on('error', (error: NodeJS.ErrnoException) =>
        // The server closed a connection that was kept: nothing has reached it.
        reject(request.reusedSocket && error.code === 'ECONNRESET' && !signal.aborted ? new StaleConnection() : error),
      )
      request.end(body)
    })
  let response: IncomingMessage
  for (;;) {
    try {
      response = await call()
      break
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error
    }
  }
  const header = (name: string): string | null => {
    const value = response.headers[name]
    return Array.isArray(value) ? value.join(', ') : (value ?? null)
  }
  const encoding = header('content-encoding')?.trim().toLowerCase()
  const decoder = encoding === 'gzip' || encoding === 'x-gzip' ? createGunzip() : encoding === 'deflate' ? createInflate() : null
  // An error of the response reaches the reader of the decoder.
  if (decoder) pipeline(response, decoder, () => {})
  // A reader gets the error too; without one it must not end the process.
  const readable = (decoder ?? response).on('error', () => {})
  return { status: response.statusCode ?? 0, header, body: readable }
}

class StaleConnection extends Error {}
