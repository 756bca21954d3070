import { z } from 'zod'
import { BadRequestError } from '../lib/errors.ts'

const Position = z.tuple([z.iso.datetime(), z.string()])

/** Opaque to callers: the time and id of the last row of a page. */
export const writeCursor = (row: { created_at: Date; id: string }): string =>
  Buffer.from(JSON.stringify([row.created_at.toISOString(), row.id])).toString('base64url')

/** Throws BadRequestError `invalid_cursor`. */
export function readCursor(cursor: string): { created_at: Date; id: string } {
  try {
    const [at, id] = Position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    return { created_at: new Date(at), id }
  } catch (cause) {
    throw new BadRequestError('invalid_cursor', {}, { cause })
  }
}
