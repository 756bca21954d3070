import { BadRequestError, GoneError } from '../lib/errors.ts'
import { readSignedCursor, writeSignedCursor } from '../lib/signed-cursor.ts'
import type { FeedSnapshot, FeedStore } from './change-feed.ts'

/** A reader's position in the order of change. */
export interface FeedCursor {
  /** Every change up to this number has been read, except for `pages`. */
  seq: number
  /**
   * Already read in the order of positions: photos up to `position`, as they were at change `seq`.
   * Null: none.
   */
  pages: { position: number; seq: number } | null
  /** The store's generation that it reads; after a resync the reader begins again. */
  generation: number
}

export function writeCursor(snapshot: FeedSnapshot, store: FeedStore, { seq, pages, generation }: FeedCursor): string {
  const place = pages && pages.seq > seq ? [pages.position, pages.seq] : []
  return writeSignedCursor(snapshot.cursorKey, store.id, [snapshot.epoch.slice(0, 8), generation, seq, ...place])
}

/**
 * Parses a cursor. Throws BadRequestError `invalid_cursor` when it was altered or belongs to
 * another store, GoneError `cursor_expired` when tombstones after it are deleted, GoneError
 * `epoch_changed` when another database issued it: never an empty response that looks like "nothing
 * new".
 */
export function readCursor(snapshot: FeedSnapshot, store: FeedStore, given: string): FeedCursor {
  const parts = readSignedCursor(snapshot.cursorKey, store.id, given)
  if (parts === null || (parts.length !== 3 && parts.length !== 5)) throw new BadRequestError('invalid_cursor.store')
  const [epoch = '', generation = 0, seq = 0, position, until] = [parts[0] ?? '', ...parts.slice(1).map(Number)] as [string, ...number[]]
  const known = Math.max(seq, until ?? 0)
  if (epoch !== snapshot.epoch.slice(0, 8) || known > snapshot.lastSeq) throw new GoneError('epoch_changed')
  if (snapshot.prunedSeq > known) throw new GoneError('cursor_expired')
  if (generation < store.generation) return { seq: 0, pages: { position: 0, seq: known }, generation: store.generation }
  return { seq, pages: position === undefined || until === undefined ? null : { position, seq: until }, generation }
}
