import { z } from 'zod'
import { BadRequestError } from '../lib/errors.ts'

const Position = z.tuple([z.iso.datetime(), z.string()])

/** Opaque to clients: the time and id of a page's last row. */
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

const SortPosition = z.tuple([z.string(), z.string().nullable(), z.uuid()])

/** Opaque to clients: the sort order of a list, its last row's value in it, and that row's id. */
export const writeSortCursor = (sort: string, { value, id }: { value: string | null; id: string }): string =>
  Buffer.from(JSON.stringify([sort, value, id])).toString('base64url')

/** Throws BadRequestError `invalid_cursor`, also for a cursor of another order. */
export function readSortCursor(sort: string, cursor: string): { value: string | null; id: string } {
  try {
    const [of, value, id] = SortPosition.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    if (of === sort) return { value, id }
  } catch (cause) {
    throw new BadRequestError('invalid_cursor.sorted', { fields: [{ field: 'cursor', message: 'is invalid' }] }, { cause })
  }
  throw new BadRequestError('invalid_cursor.other_sort', {
    fields: [{ field: 'cursor', message: 'belongs to a list with a different sort order' }],
  })
}
