import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { EdgeSettings, Sha256 } from '../schemas/photo-sync.ts'
import { DiskFailure, onDisk } from './disk-failure.ts'

const PhotoInfo = z.object({
  id: z.uuid(),
  /** Null: the list does not have it (a variant that is not the store's default). */
  sha256: Sha256.nullable(),
  size: z.int().min(0).nullable(),
  content_type: z.string().nullable(),
  version: z.number(),
})
/** A photo that was listed and is not stored yet. */
export type PendingDownload = z.infer<typeof PhotoInfo>

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

const Entry = z.union([
  z.object({ source: Source }),
  z.object({ want: PhotoInfo, pass: z.number() }),
  z.object({ held: StoredPhoto }),
  z.object({ gone: z.uuid() }),
  z.object({ report: Report }),
  z.object({ reported: z.array(z.uuid()) }),
  z.object({ seen: z.uuid(), pass: z.number() }),
  z.object({ told_at: z.iso.datetime() }),
  z.object({ failure: Failure }),
  z.object({ contact_at: z.iso.datetime() }),
  z.object({ settings: EdgeSettings }),
  z.object({ client: Client }),
  z.object({ moved: Moved }),
  z.object({ cursor: z.string().nullable(), pass: z.number(), whole: z.boolean() }),
])
type Entry = z.infer<typeof Entry>

export const STATE_FILE = '.zinc-state.jsonl'
/** Superfluous lines before the file is rewritten. */
const SLACK = 5_000
const PIECE_CHARS = 64 * 1024

export type EdgeState = Awaited<ReturnType<typeof openState>>

/**
 * An edge server's state, as a journal with one line per change: a crash loses at most the line
 * being written. A wanted photo is in it before the cursor moves, so nothing that was listed is
 * lost. When the disk is full, the journal ends at its last complete line and the rest stays in
 * memory: the next start determines again what is missing. `memoryOnly`: reads the journal and
 * writes nothing. `source` null: of any store and size.
 */
export async function openState(dir: string, source: z.infer<typeof Source> | null, { memoryOnly = false }: { memoryOnly?: boolean } = {}) {
  const path = join(dir, STATE_FILE)
  const pending = new Map<string, PendingDownload>()
  const held = new Map<string, StoredPhoto>()
  const reports = new Map<string, PendingReport>()
  /** In which full listing a photo last appeared. */
  const seen = new Map<string, number>()
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
  /** Which stored photo has a content, for peers that ask for it. */
  const bySha256 = new Map<string, string>()
  const pendingBySha256 = new Map<string, string>()

  function apply(entry: Entry): void {
    if ('source' in entry) known = entry.source
    else if ('want' in entry) {
      // A photo that is wanted again goes to the end: after a failure the others come first.
      pending.delete(entry.want.id)
      pending.set(entry.want.id, entry.want)
      if (entry.want.sha256 !== null) pendingBySha256.set(entry.want.sha256, entry.want.id)
      seen.set(entry.want.id, entry.pass)
    } else if ('seen' in entry) seen.set(entry.seen, entry.pass)
    else if ('held' in entry) {
      held.set(entry.held.id, entry.held)
      bySha256.set(entry.held.sha256, entry.held.id)
      pending.delete(entry.held.id)
      failures.delete(entry.held.id)
    } else if ('gone' in entry) {
      held.delete(entry.gone)
      pending.delete(entry.gone)
      seen.delete(entry.gone)
      failures.delete(entry.gone)
    } else if ('report' in entry) reports.set(entry.report.photo_id, entry.report)
    else if ('told_at' in entry) toldAt = entry.told_at
    else if ('failure' in entry) failures.set(entry.failure.photo_id, entry.failure)
    else if ('contact_at' in entry) contactAt = entry.contact_at
    else if ('settings' in entry) settings = entry.settings
    else if ('client' in entry) client = entry.client
    else if ('moved' in entry) moved = entry.moved
    else if ('reported' in entry) for (const id of entry.reported) reports.delete(id)
    else ({ cursor, pass, whole } = entry)
  }

  // Not through a link, and not from a pipe, which would block for ever.
  if ((await lstat(path).catch(() => null))?.isFile()) {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      lines++
      const read = Entry.safeParse(parseLine(line))
      // The last line of a killed process may be incomplete: its content is determined again.
      if (read.success) apply(read.data)
    }
  }

  let file: FileHandle | null = null
  /** Why nothing more is written; null: all is well. */
  let failure: DiskFailure | null = null

  /** The whole state as the fewest lines. */
  function* entries(): Generator<Entry> {
    if (source) yield { source }
    for (const [id, n] of seen) yield { seen: id, pass: n }
    // Stored photos before wanted ones: a line "held" ends a want.
    for (const one of held.values()) yield { held: one }
    for (const item of pending.values()) yield { want: item, pass: seen.get(item.id) ?? 0 }
    for (const report of reports.values()) yield { report }
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
    let written = 0
    /** In pieces: as one text, a state of 100,000 photos would need tens of megabytes. */
    function* pieces(): Generator<string> {
      let piece = ''
      for (const entry of entries()) {
        written++
        piece += `${JSON.stringify(entry)}\n`
        if (piece.length < PIECE_CHARS) continue
        yield piece
        piece = ''
      }
      yield piece
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
      })
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => {})
      throw error
    }
    lines = written
  }
  async function orKeepInMemory(work: () => Promise<unknown>): Promise<void> {
    try {
      await onDisk(work)
    } catch (error) {
      if (!(error instanceof DiskFailure)) throw error
      failure ??= error
    }
  }
  const changedSource = source !== null && known !== null && JSON.stringify(known) !== JSON.stringify(source)
  // Another store or another size: stored files may still be right, but everything must be listed
  // again.
  if (changedSource) apply({ cursor: null, pass: pass + 1, whole: false })
  if (!memoryOnly)
    await orKeepInMemory(async () => {
      await rewrite()
      file = await open(path, 'a', 0o600)
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

  return {
    pending: pending as ReadonlyMap<string, PendingDownload>,
    held: held as ReadonlyMap<string, StoredPhoto>,
    reports: reports as ReadonlyMap<string, PendingReport>,
    cursor: () => cursor,
    /** A full listing that is not complete. */
    walking: () => !whole,

    /** Begins a full listing: what it does not contain at its end is deleted. */
    beginWalk: () => write({ cursor: null, pass: pass + 1, whole: false }),
    /** Records a page: what it lists, and where the next one begins, in one write. */
    async listed({ want: item, seen: same }: { want: PendingDownload[]; seen: string[] }, next: string): Promise<void> {
      await write(
        ...item.map((one) => ({ want: one, pass })),
        ...same.map((id) => ({ seen: id, pass })),
        { contact_at: new Date().toISOString() },
        { cursor: next, pass, whole },
      )
    },
    contactAt: () => contactAt,
    /** The head office's last settings of this store; null: none yet. */
    settings: () => settings,
    async changeSettings(fresh: EdgeSettings): Promise<void> {
      if (JSON.stringify(fresh) !== JSON.stringify(settings)) await write({ settings: fresh })
    },
    /** The stored photo with that content; undefined: there is none. */
    heldBySha256(sha256: string): StoredPhoto | undefined {
      const found = held.get(bySha256.get(sha256) ?? '')
      return found?.sha256 === sha256 ? found : undefined
    },
    /** Whether a photo with that content is wanted. */
    isPending: (sha256: string): boolean => pending.get(pendingBySha256.get(sha256) ?? '')?.sha256 === sha256,
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
    unlisted: (): string[] => [...new Set([...held.keys(), ...pending.keys()])].filter((id) => seen.get(id) !== pass),
    want: (item: PendingDownload) => write({ want: item, pass: seen.get(item.id) ?? pass }),
    keep: (one: StoredPhoto, report: PendingReport | null) => write({ held: one }, ...(report ? [{ report }] : [])),
    drop: (id: string, report: PendingReport | null) => write({ gone: id }, ...(report ? [{ report }] : [])),
    report: (report: PendingReport) => write({ report }),
    reported: (ids: string[]) => write({ reported: ids }),
    toldAt: () => toldAt,
    telling: (at: string) => write({ told_at: at }),
    /** Why the journal is no longer written; null: it is. */
    diskFailure: (): DiskFailure | null => failure,
    async close(): Promise<void> {
      await writing
      await file?.close()
      if (memoryOnly || (failure === null && lines <= held.size + pending.size + seen.size + SLACK)) return
      // There may be room again. Otherwise the old journal remains, as far as it was written.
      await orKeepInMemory(rewrite)
    },
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
