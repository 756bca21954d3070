import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface CollectedSpan {
  name: string
  traceId: string
  spanId: string
  parentSpanId: string
  attributes: Record<string, string>
  links: { traceId: string; spanId: string }[]
}

/** The fields of a protobuf message by number, as far as OTLP uses them. */
function fieldsOf(bytes: Buffer): { field: number; value: Buffer | bigint }[] {
  const fields: { field: number; value: Buffer | bigint }[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const type = key & 7
    if (type === 0) fields.push({ field: key >> 3, value: varint() })
    else {
      const length = type === 1 ? 8 : type === 5 ? 4 : Number(varint())
      fields.push({ field: key >> 3, value: bytes.subarray(at, at + length) })
      at += length
    }
  }
  return fields
}
const all = (bytes: Buffer, field: number) => fieldsOf(bytes).flatMap((it) => (it.field === field ? [it.value as Buffer] : []))
const first = (bytes: Buffer, field: number): Buffer => all(bytes, field)[0] ?? Buffer.alloc(0)

/** Strings as they are, integers in decimal. */
function attributesOf(pairs: Buffer[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [value] = fieldsOf(first(pair, 2))
      return [String(first(pair, 1)), String(value?.value ?? '')]
    }),
  )
}

/** The numbers are those of opentelemetry/proto/trace/v1/trace.proto. */
const spanOf = (span: Buffer): CollectedSpan => ({
  traceId: first(span, 1).toString('hex'),
  spanId: first(span, 2).toString('hex'),
  parentSpanId: first(span, 4).toString('hex'),
  name: String(first(span, 5)),
  attributes: attributesOf(all(span, 9)),
  links: all(span, 13).map((link) => ({ traceId: first(link, 1).toString('hex'), spanId: first(link, 2).toString('hex') })),
})

/** A collector on loopback that takes OTLP over HTTP as protobuf. */
export async function createCollector() {
  const spans: CollectedSpan[] = []
  const names = new Set<string>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
      if (request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf')
        for (const resource of all(bytes, 1)) {
          names.add(attributesOf(all(first(resource, 1), 1))['service.name'] ?? '')
          for (const scope of all(resource, 2)) spans.push(...all(scope, 2).map(spanOf))
        }
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    serviceNames: () => [...names],
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  }
}
