import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { AppError, BadRequestError, PayloadTooLargeError, UnsupportedMediaTypeError } from '../lib/errors.ts'
import { describeUnknown, unknownParameter } from './plugins/unknown-parameters.ts'

export interface FormLimits {
  /** Limits for the bytes of one file and of the whole form. */
  fileBytes: number
  totalBytes: number
  files: number
  /** Names of the allowed fields besides the files. */
  fields: string[]
}

export interface FormFile {
  /** The sender's name: clean it before showing it. */
  filename: string
  bytes: Readable
}

/** Fields and parts besides the files; a form with more is not one of ours. */
const FIELDS = 10
const FIELD_NAME_LENGTH = 100
const OVERHEAD_BYTES = 64 * 1024

/**
 * Parses a multipart form while it arrives: `onFile` must read or destroy each file before the next
 * one comes. Returns the fields. Fastify's body limit does not count multipart bodies, so the whole
 * is counted here. So is what the parser drops silently: all but the first 80 kB of a part's
 * header, parts without a name, and what is before the first part and after the last. Throws
 * PayloadTooLargeError, BadRequestError, UnsupportedMediaTypeError.
 */
export async function parseMultipart(
  request: FastifyRequest,
  { fileBytes, totalBytes, files, fields: known }: FormLimits,
  onFile: (file: FormFile) => Promise<void>,
): Promise<Record<string, string>> {
  if (!request.isMultipart()) {
    throw new UnsupportedMediaTypeError('multipart_required')
  }
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > totalBytes + OVERHEAD_BYTES) throw tooLarge(totalBytes)
  const fields: Record<string, string> = {}
  const budget = { left: totalBytes }
  const sent = countBytes(request.raw, totalBytes + OVERHEAD_BYTES)
  try {
    const parts = request.parts({
      limits: {
        fileSize: fileBytes + 1,
        files,
        fields: FIELDS,
        parts: files + FIELDS,
        fieldSize: 16 * 1024,
        headerPairs: 50,
      },
    })
    for (;;) {
      const { value: part, done } = await Promise.race([parts.next(), sent.tooMany])
      if (done) break
      if (part.type === 'field') {
        // The parser truncates long values, and part of a text must not be taken for the whole; it
        // has no limit for names.
        if (part.valueTruncated || part.fieldname.length > FIELD_NAME_LENGTH) throw tooLargeParts()
        if (!known.includes(part.fieldname)) throw unknownParameter('form field', describeUnknown(part.fieldname, known))
        if (typeof part.value === 'string') {
          if (part.value.includes('\0') || !part.value.isWellFormed()) throw new BadRequestError('bad_request.form_character')
          fields[part.fieldname] = part.value
          budget.left -= Buffer.byteLength(part.value)
        }
        continue
      }
      if (part.fieldname !== 'file') throw new BadRequestError('bad_request.other_part', { part: part.fieldname.slice(0, 100) })
      await onFile({ filename: part.filename, bytes: counted(part.file, budget, totalBytes) })
    }
    if (sent.bytes() - (totalBytes - budget.left) > OVERHEAD_BYTES) throw tooLargeParts()
    return fields
  } catch (error) {
    // The rest of the body is discarded, so that the sender can read the response.
    request.raw.unpipe()
    request.raw.resume()
    throw toAppError(error)
  } finally {
    sent.stop()
  }
}

/**
 * Counts the bytes of the form so far, including headers and boundaries; `tooMany` rejects when
 * they exceed any valid form.
 */
function countBytes(raw: Readable, most: number): { bytes(): number; tooMany: Promise<never>; stop(): void } {
  let bytes = 0
  const { promise: tooMany, reject } = Promise.withResolvers<never>()
  tooMany.catch(() => {}) // not awaited when the file's own limit has failed first
  const count = (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > most) reject(tooLargeParts())
  }
  raw.on('data', count)
  return { bytes: () => bytes, tooMany, stop: () => void raw.off('data', count) }
}

function counted(file: Readable, budget: { left: number }, totalBytes: number): Readable {
  async function* chunks() {
    for await (const chunk of file as AsyncIterable<Buffer>) {
      budget.left -= chunk.length
      if (budget.left < 0) throw tooLarge(totalBytes)
      yield chunk
    }
  }
  return Readable.from(chunks(), { objectMode: false })
}

const tooLarge = (totalBytes: number) => new PayloadTooLargeError('payload_too_large.form', { total_bytes: totalBytes })

const tooLargeParts = () => new PayloadTooLargeError('too_many_parts')

/**
 * The multipart parser's errors: its limits have a status; malformed forms have none and would look
 * like an error of the server.
 */
function toAppError(error: unknown): unknown {
  if (error instanceof AppError) return error
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string }
  if (code?.startsWith('FST_') && statusCode === 413) return tooLargeParts()
  if (code?.startsWith('FST_')) return new BadRequestError('invalid_multipart', { parser: code })
  if (
    typeof message === 'string' &&
    /boundary|multipart|unexpected end of (form|multipart)|malformed part|part terminated|premature close/i.test(message)
  )
    return new BadRequestError('invalid_multipart.cut')
  return error
}
