import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { startS3Server } from './s3-server.ts'

/** What the line to the bucket, or the bucket itself, does to the next requests of a method. */
export interface S3Fault {
  method: 'PUT' | 'GET' | 'HEAD'
  times: number
  /** lose_reply: the work is done, the answer lost · spoil: the right length, other bytes */
  act: 'error' | 'slow_down' | 'forbidden' | 'skew' | 'lose_reply' | 'spoil' | 'cut'
}

const REFUSALS: Partial<Record<S3Fault['act'], [number, string]>> = {
  error: [500, 'InternalError'],
  slow_down: [503, 'SlowDown'],
  forbidden: [403, 'AccessDenied'],
  skew: [403, 'RequestTimeTooSkewed'],
}

/**
 * The S3 server of the tests behind a line that can be told to fail; like S3 it refuses bytes that
 * are not what their checksum says.
 */
export async function startFaultyS3() {
  const bucket = await startS3Server()
  const { port: to } = new URL(bucket.settings.endpoint)
  let faults: S3Fault[] = []
  const puts: string[] = []
  let onPut: (count: number) => void = () => {}

  function refuse(reply: ServerResponse, status: number, code: string): void {
    reply
      .writeHead(status, { 'content-type': 'application/xml' })
      .end(`<Error><Code>${code}</Code><Message>told so by a test</Message></Error>`)
  }
  async function pass(incoming: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming
    let body = await buffer(incoming)
    const fault = faults.find((it) => it.method === method && it.times > 0)
    if (fault) fault.times--
    const refusal = fault && REFUSALS[fault.act]
    if (refusal) return refuse(reply, ...refusal)
    if (fault?.act === 'spoil' && method === 'PUT') body = Buffer.from(body.map((it) => it ^ 1))
    const said = headers['x-amz-checksum-sha256']
    if (said !== undefined && createHash('sha256').update(body).digest('base64') !== said) return refuse(reply, 400, 'BadDigest')
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ port: to, host: '127.0.0.1', method, path: url, headers }, resolve).on('error', reject).end(body)
    })
    const bytes = await buffer(response)
    if (method === 'PUT') {
      puts.push(url)
      onPut(puts.length)
    }
    if (fault?.act === 'lose_reply') return void incoming.socket.destroy()
    reply.writeHead(response.statusCode ?? 500, { ...response.headers, ...(method !== 'HEAD' && { 'content-length': bytes.length }) })
    if (fault?.act === 'cut') return void reply.write(bytes.subarray(0, bytes.length / 2), () => incoming.socket.destroy())
    reply.end(fault?.act === 'spoil' && method === 'GET' ? bytes.map((it) => it ^ 1) : bytes)
  }

  const server = createServer((incoming, reply) => void pass(incoming, reply).catch(() => incoming.socket.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    settings: { ...bucket.settings, endpoint },
    environment: { ...bucket.environment, S3_ENDPOINT: endpoint },
    /** The addresses of the objects that were put, one entry a put. */
    puts,
    fail: (...next: S3Fault[]) => {
      faults = next
    },
    /** Called with the number of puts so far, after each. */
    afterPut: (work: (count: number) => void) => {
      onPut = work
    },
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await bucket.close()
    },
  }
}
