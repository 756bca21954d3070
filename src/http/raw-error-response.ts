import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Answers a request that Fastify never sees, or whose body never comes, in the shape of every other failure, and closes. */
export function writeRawError(
  socket: Socket | Duplex,
  {
    status,
    code,
    message,
    remedy,
    requestId = randomUUID(),
  }: { status: number; code: string; message: string; remedy?: string; requestId?: string },
): void {
  if (!socket.writable) return
  const body = JSON.stringify({ status: 'error', code, message, detail: { remedy }, request_id: requestId })
  socket.end(
    `HTTP/1.1 ${status} ${code}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `x-request-id: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  )
}

/** Node's own refusals of what cannot be parsed as HTTP, or did not arrive in time. */
export function clientErrorHandler(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET') return
  const failure =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? { status: 431, code: 'headers_too_large', message: 'The request headers are too large', remedy: 'Send fewer or shorter ones.' }
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? { status: 408, code: 'request_timeout', message: 'The request did not arrive in time' }
        : {
            status: 400,
            code: 'bad_request',
            message: 'This is not HTTP that can be read',
            remedy: 'Percent-encode the address, as curl -G --data-urlencode does; TLS ends at a proxy.',
          }
  writeRawError(socket, failure)
}
