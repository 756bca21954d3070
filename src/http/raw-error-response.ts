import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { say } from '../messages/say.ts'

/**
 * Responds to a request that Fastify never sees, or whose body never arrives, in the common error
 * format, and closes the socket.
 */
export function writeRawError(
  socket: Socket | Duplex,
  {
    status,
    code,
    message,
    remedy,
    requestId = randomUUID(),
  }: { status: number; code: string; message: string; remedy?: string | undefined; requestId?: string },
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
      ? { status: 431, ...say('headers_too_large') }
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? { status: 408, ...say('request_timeout') }
        : { status: 400, ...say('bad_request.not_http') }
  writeRawError(socket, failure)
}
