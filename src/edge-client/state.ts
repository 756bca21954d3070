import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { EdgeSettings, Sha256 } from '../schemas/photo-sync.ts'
import { DiskFailure, onDisk } from './disk-failure.ts'
import { NO_FOLLOW } from './photo-files.ts'
import { createPhotoTable, SavedTable } from './photo-table.ts'

const PhotoInfo = z.object({
  id: z.uuid(),
  /** Null: the list does not have it (a variant that is not the store's default). */
  sha256: Sha256.nullable(),
  size: z.int().min(0).nullable(),
  content_type: z.string().nullable(),
  version: z.number(),
})
export type PhotoInfo = z.infer<typeof PhotoInfo>
/** A photo that was listed and is not stored yet; `order` counts what was wanted. */
export type PendingDownload = PhotoInfo & { order: number }

/**
 * Files are deleted by the journal, and others may be able to write to the folder: the name must
 * not lead elsewhere.
 */
const StoredPhoto = z
  .object({
    id: z.uuid(),
    file: z.string().regex(/^[0-9a-f-]{36}\.[a-z0-9]{1,5}$/),
    sha256: Sha256,
    size: z.int().min(0),
    mtime_ms: z.number(),
    version: z.number(),
    content_type: z.string(),
  })
  .refine(({ id, file }) => file.startsWith(`${id}.`))
/** A stored photo, as it was when it was written. */
export type StoredPhoto = z.infer<typeof StoredPhoto>

const Report = z.object({
  photo_id: z.uuid(),
  status: z.enum(['synced', 'failed', 'deleted']),
  error: z.string().nullable(),
  version: z.number(),
})
export type PendingReport = z.infer<typeof Report>

const Failure = z.object({ photo_id: z.uuid(), error: z.string(), at: z.iso.datetime() })
/** A photo that failed, until it arrives or is no longer wanted. */
export type PullFailure = z.infer<typeof Failure>

/** This folder as head office counts it: its own id, and what came from peers since it began. */
const Client = z.object({ id: z.uuid(), bytes_from_peers: z.int().min(0), photos_from_peers: z.int().min(0) })
export type EdgeClientTotals = z.infer<typeof Client>

/** Head office has moved from the address that is configured here. */
const Moved = z.object({ from: z.string(), to: z.string() })

const Source = z.object({ store_id: z.string(), variant: z.string().nullable() })

/** The lines of the journal, by their first key. */
const ENTRIES = {
  source: z.object({ source: Source }),
  want: z.object({ want: PhotoInfo, pass: z.number() }),
  held: z.object({ held: StoredPhoto }),
  gone: z.object({ gone: z.uuid() }),
  report: z.object({ report: Report }),
  reported: z.object({ reported: z.array(z.uuid()) }),
  seen: z.object({ seen: z.uuid(), pass: z.number() }),
  told_at: z.object({ told_at: z.iso.datetime() }),
  failure: z.object({ failure: Failure }),
  contact_at: z.object({ contact_at: z.iso.datetime() }),
  settings: z.object({ settings: EdgeSettings }),
  client: z.object({ client: Client }),
  moved: z.object({ moved: Moved }),
  cursor: z.object({ cursor: z.string().nullable(), pass: z.number(), whole: z.boolean() }),
}
type Entry = z.infer<(typeof ENTRIES)[keyof typeof ENTRIES]>

export const STATE_FILE = '.zinc-state'
/** Of earlier versions: every photo was a line. */
const OLD_STATE_FILE = '.zinc-state.jsonl'
/** Changes before the file is rewritten. */
const SLACK = 5_000
const PIECE_BYTES = 64 * 1024

export type EdgeState = Awaited<ReturnType<typeof openState>>

/**
 * An edge server's state: a table of its photos, followed by a journal with one line per change, so
 * that a crash loses at most the line being written. A wanted photo is in it before the cursor
 * moves, so nothing that was listed is lost. When the disk is full, the journal ends at its last
 * complete line and the rest stays in memory: the next start determines again what is missing.
 * `memoryOnly`: reads the journal and writes nothing. `source` null: of any store and size.
 */
export async function openState(dir: string, source: z.infer<typeof Source> | null, { memoryOnly = false }: { memoryOnly?: boolean } = {}) {
  const path = join(dir, STATE_FILE)
  const photos = createPhotoTable()
  const { pending, held, reports } = photos
  let cursor: string | null = null
  let pass = 0
  /** Whether the listing of `pass` is complete. */
  let whole = false
  let lines = 0
  /** The time of the last reports. */
  let toldAt: string | null = null
  let known: z.infer<typeof Source> | null = null
  const failures = new Map<string, PullFailure>()
  /** When the head office last sent a list; null: never. */
  let contactAt: string | null = null
  let settings: EdgeSettings | null = null
  let client: EdgeClientTotals | null = null
  let moved: z.infer<typeof Moved> | null = null
  function apply(entry: Entry): void {
    if ('source' in entry) known = entry.source
    else if ('want' in entry) {
      photos.want(entry.want)
      photos.see(entry.want.id, entry.pass)
    } else if ('seen' in entry) photos.see(entry.seen, entry.pass)
    else if ('held' in entry) {
      photos.hold(entry.held)
      failures.delete(entry.held.id)
    } else if ('gone' in entry) {
      photos.drop(entry.gone)
      failures.delete(entry.gone)
    } else if ('report' in entry) photos.report(entry.report)
    else if ('told_at' in entry) toldAt = entry.told_at
    else if ('failure' in entry) failures.set(entry.failure.photo_id, entry.failure)
    else if ('contact_at' in entry) contactAt = entry.contact_at
    else if ('settings' in entry) settings = entry.settings
    else if ('client' in entry) client = entry.client
    else if ('moved' in entry) moved = entry.moved
    else if ('reported' in entry) for (const id of entry.reported) photos.reported(id)
    else ({ cursor, pass, whole } = entry)
  }

  /** Null: there is no journal that can be continued as it is. */
  let file: FileHandle | null = null
  const writable = memoryOnly ? null : await openJournal(path, constants.O_RDWR | constants.O_APPEND)
  const found =
    writable ?? (await openJournal(path, constants.O_RDONLY)) ?? (await openJournal(join(dir, OLD_STATE_FILE), constants.O_RDONLY))
  if (found) {
    const head = await savedTable(found)
    const from = head ? await photos.load(head.photos, found, head.length) : 0
    let isWhole = head !== null && from !== null
    // What follows damaged rows says too little: everything is listed again.
    if (from !== null)
      for await (const line of linesOf(found, from)) {
        lines++
        // The last line of a killed process may be incomplete: its content is determined again.
        isWhole &&= line.endsWith('\n')
        const entry = parseEntry(line)
        if (entry) apply(entry)
      }
    const { nlink, mode } = await found.stat()
    if (found === writable && isWhole && nlink === 1 && (mode & 0o777) === 0o600) file = found
    else await found.close()
  }

  /** Why nothing more is written; null: all is well. */
  let failure: DiskFailure | null = null

  /** What is known besides the photos. */
  function* entries(): Generator<Entry> {
    if (source) yield { source }
    for (const failure of failures.values()) yield { failure }
    if (toldAt !== null) yield { told_at: toldAt }
    if (contactAt !== null) yield { contact_at: contactAt }
    if (settings !== null) yield { settings }
    if (client !== null) yield { client }
    if (moved !== null) yield { moved }
    yield { cursor, pass, whole }
  }

  /**
   * Writes the whole state to a new file, which then replaces the old one: a full disk leaves the
   * old one unchanged.
   */
  async function rewrite(): Promise<void> {
    const fresh = `${path}.new`
    function* pieces(): Generator<string | Buffer> {
      const { head, bytes } = photos.save()
      yield `${JSON.stringify({ photos: head })}\n`
      yield* bytes
      for (const entry of entries()) yield `${JSON.stringify(entry)}\n`
    }
    try {
      await onDisk(async () => {
        await rm(fresh, { force: true })
        const handle = await open(fresh, 'wx', 0o600)
        try {
          await handle.writeFile(pieces())
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(fresh, path)
        await rm(join(dir, OLD_STATE_FILE), { force: true })
      })
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => {})
      throw error
    }
    lines = 0
  }
  async function orKeepInMemory(work: () => Promise<unknown>): Promise<void> {
    try {
      await onDisk(work)
    } catch (error) {
      if (!(error instanceof DiskFailure)) throw error
      failure ??= error
    }
  }
  if (!memoryOnly && file === null)
    await orKeepInMemory(async () => {
      await rewrite()
      file = await openJournal(path, constants.O_WRONLY | constants.O_APPEND)
    })
  /** Lines are written to the file sequentially. */
  let writing: Promise<unknown> = Promise.resolve()

  function write(...entries: Entry[]): Promise<unknown> {
    for (const entry of entries) apply(entry)
    lines += entries.length
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
    writing = writing.then(async () => {
      // After a failed write, a later line would lack the ones that it builds on.
      if (file !== null && failure === null) await orKeepInMemory(() => (file as FileHandle).appendFile(text))
    })
    return writing
  }

  if (source !== null && JSON.stringify(known) !== JSON.stringify(source)) {
    // Another store or another size: stored files may still be right, but everything must be listed
    // again.
    const changed = known !== null
    await write({ source }, ...(changed ? [{ cursor: null, pass: pass + 1, whole: false }] : []))
  }

  return {
    pending,
    held,
    reports,
    cursor: () => cursor,
    /** A full listing that is not complete. */
    walking: () => !whole,

    /** Begins a full listing: what it does not contain at its end is deleted. */
    beginWalk: () => write({ cursor: null, pass: pass + 1, whole: false }),
    /** Records a page: what it lists, and where the next one begins, in one write. */
    async listed({ want: items, seen: same }: { want: PhotoInfo[]; seen: string[] }, next: string): Promise<PendingDownload[]> {
      await write(
        ...items.map((one) => ({ want: one, pass })),
        ...same.map((id) => ({ seen: id, pass })),
        { contact_at: new Date().toISOString() },
        { cursor: next, pass, whole },
      )
      return items.flatMap(({ id }) => pending.get(id) ?? [])
    },
    contactAt: () => contactAt,
    /** The head office's last settings of this store; null: none yet. */
    settings: () => settings,
    async changeSettings(fresh: EdgeSettings): Promise<void> {
      if (JSON.stringify(fresh) !== JSON.stringify(settings)) await write({ settings: fresh })
    },
    /** Null: nothing came from a peer yet. */
    client: () => client,
    cameFromPeer: (bytes: number) =>
      write({
        client: {
          id: client?.id ?? randomUUID(),
          bytes_from_peers: (client?.bytes_from_peers ?? 0) + bytes,
          photos_from_peers: (client?.photos_from_peers ?? 0) + 1,
        },
      }),
    /** The address of head office, for the one that is configured. */
    addressOf: (server: string): string => (moved?.from === server ? moved.to : server),
    move: (from: string, to: string) => write({ moved: { from, to } }),
    failures: failures as ReadonlyMap<string, PullFailure>,
    failed: (photo_id: string, error: string) => write({ failure: { photo_id, error, at: new Date().toISOString() } }),
    /** Ends the listing: what it did not contain is deleted. */
    endWalk: () => write({ cursor, pass, whole: true }),
    /** Stored or wanted photos that the listing which just ended did not contain. */
    unlisted: () => photos.notSeenIn(pass),
    want: (item: PhotoInfo) => write({ want: infoOf(item), pass: photos.seenIn(item.id) || pass }),
    keep: (one: StoredPhoto, report: PendingReport | null) => write({ held: one }, ...(report ? [{ report }] : [])),
    drop: (id: string, report: PendingReport | null) => write({ gone: id }, ...(report ? [{ report }] : [])),
    report: (report: PendingReport) => write({ report }),
    /** These were sent. One that was replaced meanwhile stays. */
    reported: (sent: PendingReport[]) =>
      write({
        reported: sent.map(({ photo_id }) => photo_id).filter((id, n) => JSON.stringify(photos.reportOf(id)) === JSON.stringify(sent[n])),
      }),
    toldAt: () => toldAt,
    telling: (at: string) => write({ told_at: at }),
    /** Why the journal is no longer written; null: it is. */
    diskFailure: (): DiskFailure | null => failure,
    async close(): Promise<void> {
      await writing
      await file?.datasync().catch(() => {})
      await file?.close()
      if (memoryOnly || (failure === null && lines <= SLACK)) return
      // There may be room again. Otherwise the old journal remains, as far as it was written.
      await orKeepInMemory(rewrite)
    },
  }
}

const infoOf = ({ id, sha256, size, content_type, version }: PhotoInfo): PhotoInfo => ({ id, sha256, size, content_type, version })

/** Not through a link, and not a pipe, which would block for ever. Null: there is none. */
async function openJournal(path: string, flags: number): Promise<FileHandle | null> {
  const handle = await open(path, flags | NO_FOLLOW | (constants.O_NONBLOCK ?? 0)).catch(() => null)
  if ((await handle?.stat())?.isFile()) return handle
  await handle?.close()
  return null
}

const Head = z.object({ photos: SavedTable })

/**
 * What the first line says of the rows after it, and its length. Null: an earlier version's file.
 */
async function savedTable(handle: FileHandle): Promise<{ photos: SavedTable; length: number } | null> {
  for await (const line of linesOf(handle, 0)) {
    const read = Head.safeParse(parsed(line))
    return read.success ? { photos: read.data.photos, length: Buffer.byteLength(line) } : null
  }
  return null
}

/** Each with its end, piece by piece: a journal of 100,000 photos has tens of megabytes. */
async function* linesOf(handle: FileHandle, position: number): AsyncGenerator<string> {
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let rest = Buffer.alloc(0)
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, PIECE_BYTES, position)
    if (bytesRead === 0) break
    position += bytesRead
    const bytes = rest.length > 0 ? Buffer.concat([rest, piece.subarray(0, bytesRead)]) : piece.subarray(0, bytesRead)
    let from = 0
    for (let end = bytes.indexOf('\n'); end !== -1; end = bytes.indexOf('\n', from)) {
      yield bytes.toString('utf8', from, end + 1)
      from = end + 1
    }
    rest = Buffer.from(bytes.subarray(from))
  }
  if (rest.length > 0) yield rest.toString('utf8')
}

/** Null: the line is incomplete, or not of a journal. */
function parseEntry(line: string): Entry | null {
  const value = parsed(line)
  const [name = ''] = Object.keys(Object(value))
  const read = Object.hasOwn(ENTRIES, name) ? ENTRIES[name as keyof typeof ENTRIES].safeParse(value) : null
  return read?.success ? read.data : null
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
