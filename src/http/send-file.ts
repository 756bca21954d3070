import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FileCache, StoredFile } from '../images/storage/file-cache.ts'
import { PreconditionFailedError, RangeNotSatisfiableError } from '../lib/errors.ts'
import { failsIfMatch, matchesIfNoneMatch, readRange } from './conditional-requests.ts'

/** A repeated header counts as not sent, since it is unknown which value is meant. */
const oneHeader = (value: string | string[] | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

export interface FileToSend extends StoredFile {
  contentType: string
  /** The file's path for a proxy in front, when it sends the bytes itself. */
  accelPath?: string | undefined
}

/**
 * Sends stored bytes after the permission was checked: 200, 206 or 304, with a strong ETag of the
 * content, and HEAD with the same headers. Headers that were set on the reply stay. Throws
 * PreconditionFailedError, RangeNotSatisfiableError, and NotFoundError for a file that is missing
 * or damaged.
 */
export async function sendFile(request: FastifyRequest, reply: FastifyReply, files: FileCache, file: FileToSend): Promise<FastifyReply> {
  const etag = `"${file.sha256}"`
  reply.header('etag', etag).header('accept-ranges', 'bytes').header('x-content-type-options', 'nosniff')
  if (failsIfMatch(request.headers['if-match'], etag)) throw new PreconditionFailedError('precondition_failed')
  if (matchesIfNoneMatch(request.headers['if-none-match'], etag)) return reply.code(304).send()
  const range =
    request.method === 'GET'
      ? readRange(request.headers.range, oneHeader(request.headers['if-range']), { size: file.size, etag })
      : ({ kind: 'whole' } as const)
  if (range.kind === 'unsatisfiable') {
    reply.header('content-range', `bytes */${file.size}`)
    throw new RangeNotSatisfiableError('range_not_satisfiable', { size: file.size })
  }
  const part = range.kind === 'part' ? { start: range.start, end: range.end } : undefined
  reply.header('content-type', file.contentType)
  // A range is rare and small; and the proxy does not know the ETag that If-Range and If-Match
  // compare, nor a time for the others.
  const plain = (['range', 'if-match', 'if-unmodified-since'] as const).every((name) => request.headers[name] === undefined)
  if (file.accelPath !== undefined && plain && request.method === 'GET') return reply.header('x-accel-redirect', file.accelPath).send('')
  const length = part ? part.end - part.start + 1 : file.size
  const bytes = await files.open(file, part)
  if (request.method === 'HEAD') {
    if (bytes instanceof Readable) bytes.destroy()
    return reply.header('content-length', length).send(Readable.from([]))
  }
  if (part) reply.code(206).header('content-range', `bytes ${part.start}-${part.end}/${file.size}`)
  return reply.header('content-length', length).send(bytes)
}
