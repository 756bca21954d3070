import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { z } from 'zod'
import { Sha256 } from '../schemas/photo-sync.ts'
import type { PendingDownload, PendingReport, PhotoInfo, StoredPhoto } from './state.ts'

/** Where the values of a row are; 4 bytes each unless another length is said. */
const ID = 0 // 16 bytes
const HELD_SHA256 = 16 // 32 bytes
const HELD_SIZE = 48 // 6 bytes
const HELD_MTIME = 54 // 6 bytes
const HELD_VERSION = 60
const HELD_KIND = 64 // 2 bytes
const FLAGS = 66 // 1 byte
const REPORT_STATUS = 67 // 1 byte; 0: nothing to report
const REPORT_VERSION = 68
const SEEN = 72
const ROW_BYTES = 76
/** What is wanted, apart from the row: most photos are stored. */
const WANT_SHA256 = 0 // 32 bytes
const WANT_SIZE = 32 // 6 bytes
const WANT_KIND = 38 // 2 bytes
const WANT_VERSION = 40
const WANT_ORDER = 44
const WANT_BYTES = 48
const CHUNK_ROWS = 4_096

const HELD = 1
const WANTED = 2
const WANT_HAS_SHA256 = 4
const WANT_HAS_SIZE = 8

const STATUSES = ['synced', 'failed', 'deleted'] as const
const MOST_KINDS = 2 ** 16

const wholeNumber = (value: number, bytes: number): number => Math.min(2 ** (8 * bytes) - 1, Math.max(0, Math.round(value) || 0))

/** What a saved table says of itself, before its rows. */
export const SavedTable = z.object({
  row_bytes: z.literal(ROW_BYTES),
  rows: z.int().min(0),
  /** The chunks of rows of which something is wanted. */
  want_chunks: z.array(z.int().min(0)),
  sha256: Sha256,
  kinds: z.array(z.object({ extension: z.string().regex(/^[a-z0-9]{0,5}$/), content_type: z.string().nullable() })).max(MOST_KINDS),
  errors: z.array(z.tuple([z.int().min(0), z.string()])),
})
export type SavedTable = z.infer<typeof SavedTable>

export type PhotoTable = ReturnType<typeof createPhotoTable>

/**
 * What an edge server knows of each photo, as 76 to 124 bytes in place of objects: 100,000 photos
 * took more than 100 MB. Rows are not removed; one that says nothing any more is not written down.
 */
export function createPhotoTable() {
  const chunks: Buffer[] = []
  /** Of each chunk: what is wanted, while anything is, and how much. */
  const wantChunks: (Buffer | null)[] = []
  const wantCounts: number[] = []
  let rows = 0
  /** File extension and content type, which many photos share, by their number in a row. */
  const kinds: SavedTable['kinds'] = []
  const kindNumbers = new Map<string, number>()
  /** The row of each want, in their order. */
  let wants = new Int32Array(1_024)
  let wanted = 0
  const errors = new Map<number, string>()
  let heldCount = 0
  let pendingCount = 0
  let pendingBytes = 0
  let reportCount = 0
  const key = Buffer.alloc(32)

  const chunkOf = (row: number): Buffer => chunks[Math.floor(row / CHUNK_ROWS)] as Buffer
  const offsetOf = (row: number): number => (row % CHUNK_ROWS) * ROW_BYTES
  const hashAt = (bytes: Buffer, from: number): number => bytes.readInt32LE(from) ^ bytes.readInt32LE(from + 12)
  const hasKey = (row: number, at: number, length: number): boolean => {
    const from = offsetOf(row) + at
    return chunkOf(row).compare(key, 0, length, from, from + length) === 0
  }
  const flagsOf = (row: number): number => chunkOf(row)[offsetOf(row) + FLAGS] as number
  const isHeld = (row: number) => (flagsOf(row) & HELD) !== 0
  const isWanted = (row: number) => (flagsOf(row) & WANTED) !== 0
  const wantsOf = (row: number): Buffer => wantChunks[Math.floor(row / CHUNK_ROWS)] as Buffer
  const wantFrom = (row: number): number => (row % CHUNK_ROWS) * WANT_BYTES
  const orderOf = (row: number): number => wantsOf(row).readUInt32LE(wantFrom(row) + WANT_ORDER)
  const hasWantKey = (row: number): boolean => {
    const from = wantFrom(row) + WANT_SHA256
    return wantsOf(row).compare(key, 0, 32, from, from + 32) === 0
  }
  /** 0 where the list does not say. */
  const wantedBytes = (row: number): number => wantsOf(row).readUIntLE(wantFrom(row) + WANT_SIZE, 6)
  const numberAt = (row: number, at: number): number => chunkOf(row).readUInt32LE(offsetOf(row) + at)

  const byId = createRowIndex((add) => {
    for (let row = 0; row < rows; row++) add(hashAt(chunkOf(row), offsetOf(row) + ID), row)
  })
  /** Only peers ask for contents: made with the first question. */
  let byContent: RowIndex | null = null
  function contents(): RowIndex {
    byContent ??= createRowIndex((add) => {
      for (let row = 0; row < rows; row++) {
        if (isHeld(row)) add(hashAt(chunkOf(row), offsetOf(row) + HELD_SHA256), row)
        if (isWanted(row)) add(hashAt(wantsOf(row), wantFrom(row) + WANT_SHA256), row)
      }
    })
    return byContent
  }

  function find(id: string): number {
    key.write(id.replaceAll('-', ''), 'hex')
    return byId.find(hashAt(key, 0), (row) => hasKey(row, ID, 16))
  }
  function rowFor(id: string): number {
    const known = find(id)
    if (known !== -1) return known
    if (rows % CHUNK_ROWS === 0) {
      chunks.push(Buffer.alloc(CHUNK_ROWS * ROW_BYTES))
      wantChunks.push(null)
      wantCounts.push(0)
    }
    const row = rows++
    key.copy(chunkOf(row), offsetOf(row) + ID, 0, 16)
    byId.add(hashAt(key, 0), row)
    return row
  }
  function kindOf(extension: string, contentType: string | null): number {
    const name = `${extension} ${contentType ?? ''}`
    const known = kindNumbers.get(name)
    if (known !== undefined) return known
    if (kinds.length === MOST_KINDS) throw new Error('Head office lists too many content types')
    kindNumbers.set(name, kinds.length)
    return kinds.push({ extension, content_type: contentType }) - 1
  }

  function idOf(row: number): string {
    const from = offsetOf(row) + ID
    const hex = chunkOf(row).toString('hex', from, from + 16)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }
  function heldAt(row: number): StoredPhoto {
    const chunk = chunkOf(row)
    const from = offsetOf(row)
    const id = idOf(row)
    const kind = kinds[chunk.readUInt16LE(from + HELD_KIND)]
    return {
      id,
      file: `${id}.${kind?.extension}`,
      sha256: chunk.toString('hex', from + HELD_SHA256, from + HELD_SHA256 + 32),
      size: chunk.readUIntLE(from + HELD_SIZE, 6),
      mtime_ms: chunk.readUIntLE(from + HELD_MTIME, 6),
      version: chunk.readUInt32LE(from + HELD_VERSION),
      content_type: kind?.content_type ?? '',
    }
  }
  function pendingAt(row: number): PendingDownload {
    const chunk = wantsOf(row)
    const from = wantFrom(row)
    const flags = flagsOf(row)
    return {
      id: idOf(row),
      sha256: flags & WANT_HAS_SHA256 ? chunk.toString('hex', from + WANT_SHA256, from + WANT_SHA256 + 32) : null,
      size: flags & WANT_HAS_SIZE ? wantedBytes(row) : null,
      content_type: kinds[chunk.readUInt16LE(from + WANT_KIND)]?.content_type ?? null,
      version: chunk.readUInt32LE(from + WANT_VERSION),
      order: chunk.readUInt32LE(from + WANT_ORDER),
    }
  }
  function reportAt(row: number): PendingReport {
    const status = STATUSES[(chunkOf(row)[offsetOf(row) + REPORT_STATUS] as number) - 1] ?? 'synced'
    return { photo_id: idOf(row), status, error: errors.get(row) ?? null, version: numberAt(row, REPORT_VERSION) }
  }
  const reportsAt = (row: number): boolean => chunkOf(row)[offsetOf(row) + REPORT_STATUS] !== 0

  function changeFlags(row: number, flags: number): void {
    const before = flagsOf(row)
    heldCount += (flags & HELD) - (before & HELD)
    const wants = ((flags & WANTED) - (before & WANTED)) / WANTED
    pendingCount += wants
    if (wants !== 0) pendingBytes += wants * wantedBytes(row)
    chunkOf(row)[offsetOf(row) + FLAGS] = flags
    const chunk = Math.floor(row / CHUNK_ROWS)
    wantCounts[chunk] = (wantCounts[chunk] ?? 0) + wants
    if (wantCounts[chunk] === 0) wantChunks[chunk] = null
  }
  function* rowsWith(is: (row: number) => boolean): Generator<number> {
    for (let row = 0; row < rows; row++) if (is(row)) yield row
  }

  const held = {
    get size() {
      return heldCount
    },
    get(id: string): StoredPhoto | undefined {
      const row = find(id)
      return row !== -1 && isHeld(row) ? heldAt(row) : undefined
    },
    *values(): Generator<StoredPhoto> {
      for (const row of rowsWith(isHeld)) yield heldAt(row)
    },
    /** The one with that content; undefined: there is none. */
    withContent(sha256: string): StoredPhoto | undefined {
      key.write(sha256, 'hex')
      const row = contents().find(hashAt(key, 0), (one) => isHeld(one) && hasKey(one, HELD_SHA256, 32))
      return row === -1 ? undefined : heldAt(row)
    },
  }
  const pending = {
    get size() {
      return pendingCount
    },
    /** Of those whose size is listed. */
    get bytes() {
      return pendingBytes
    },
    get(id: string): PendingDownload | undefined {
      const row = find(id)
      return row !== -1 && isWanted(row) ? pendingAt(row) : undefined
    },
    has(id: string): boolean {
      const row = find(id)
      return row !== -1 && isWanted(row)
    },
    /** In the order in which they were wanted. */
    *values(): Generator<PendingDownload> {
      for (let order = 0; order < wanted; order++) {
        const one = pending.at(order)
        if (one) yield one
      }
    },
    /** That want, unless it was fulfilled, replaced or given up. */
    at(order: number): PendingDownload | undefined {
      const row = wants[order] as number
      return isWanted(row) && orderOf(row) === order ? pendingAt(row) : undefined
    },
    includes({ id, order }: PendingDownload): boolean {
      const row = find(id)
      return row !== -1 && isWanted(row) && orderOf(row) === order
    },
    hasContent(sha256: string): boolean {
      key.write(sha256, 'hex')
      return contents().find(hashAt(key, 0), (one) => isWanted(one) && hasWantKey(one)) !== -1
    },
  }
  const reports = {
    get size() {
      return reportCount
    },
    *values(): Generator<PendingReport> {
      for (const row of rowsWith(reportsAt)) yield reportAt(row)
    },
    first(most: number): PendingReport[] {
      const first: PendingReport[] = []
      for (const report of reports.values()) if (first.push(report) >= most) break
      return first
    },
  }

  /** Counts and finds what the rows say. */
  function readRows(): void {
    const open: number[] = []
    for (let row = 0; row < rows; row++) {
      if (isHeld(row)) heldCount++
      if (isWanted(row)) {
        if (wantsOf(row)) open.push(row)
        else chunkOf(row)[offsetOf(row) + FLAGS] = flagsOf(row) & ~WANTED
      }
      if (reportsAt(row)) reportCount++
    }
    open.sort((a, b) => orderOf(a) - orderOf(b))
    pendingCount = open.length
    pendingBytes = open.reduce((sum, row) => sum + wantedBytes(row), 0)
    wanted = open.length
    wants = new Int32Array(Math.max(1_024, 2 * wanted))
    wants.set(open)
    for (const [order, row] of open.entries()) {
      wantsOf(row).writeUInt32LE(order, wantFrom(row) + WANT_ORDER)
      const chunk = Math.floor(row / CHUNK_ROWS)
      wantCounts[chunk] = (wantCounts[chunk] ?? 0) + 1
    }
    byId.refill()
  }
  function* usedBytes(): Generator<Buffer> {
    for (const [n, chunk] of chunks.entries()) yield chunk.subarray(0, Math.min(CHUNK_ROWS, rows - n * CHUNK_ROWS) * ROW_BYTES)
    for (const chunk of wantChunks) if (chunk) yield chunk
  }

  return {
    held,
    pending,
    reports,
    rows: () => rows,
    /** What `load` takes, and the bytes of the rows, which follow it. */
    save(): { head: SavedTable; bytes: Generator<Buffer> } {
      const sha256 = createHash('sha256')
      for (const bytes of usedBytes()) sha256.update(bytes)
      const want_chunks = wantChunks.flatMap((chunk, n) => (chunk ? n : []))
      return {
        head: { row_bytes: ROW_BYTES, rows, want_chunks, sha256: sha256.digest('hex'), kinds, errors: [...errors] },
        bytes: usedBytes(),
      }
    },
    /** Reads a saved table, whose rows begin there. Returns where they end; null: damaged. */
    async load(saved: SavedTable, handle: FileHandle, position: number): Promise<number | null> {
      const all = Math.ceil(saved.rows / CHUNK_ROWS)
      const length = saved.rows * ROW_BYTES + saved.want_chunks.length * CHUNK_ROWS * WANT_BYTES
      if (position + length > (await handle.stat()).size || saved.want_chunks.some((n) => n >= all)) return null
      const sha256: Hash = createHash('sha256')
      async function next(size: number, length = size): Promise<Buffer> {
        const chunk = Buffer.alloc(size)
        await handle.read(chunk, 0, length, position)
        position += length
        sha256.update(chunk.subarray(0, length))
        return chunk
      }
      const read: Buffer[] = []
      const readWants: (Buffer | null)[] = []
      for (let left = saved.rows; left > 0; left -= CHUNK_ROWS) {
        read.push(await next(CHUNK_ROWS * ROW_BYTES, Math.min(left, CHUNK_ROWS) * ROW_BYTES))
        readWants.push(null)
      }
      for (const n of saved.want_chunks) readWants[n] = await next(CHUNK_ROWS * WANT_BYTES)
      if (sha256.digest('hex') !== saved.sha256) return null
      chunks.push(...read)
      wantChunks.push(...readWants)
      wantCounts.push(...readWants.map(() => 0))
      rows = saved.rows
      for (const { extension, content_type } of saved.kinds) kindOf(extension, content_type)
      for (const [row, error] of saved.errors) errors.set(row, error)
      readRows()
      return position
    },
    /** In which full listing a photo last appeared; 0: in none. */
    seenIn(id: string): number {
      const row = find(id)
      return row === -1 ? 0 : numberAt(row, SEEN)
    },
    see(id: string, pass: number): void {
      const row = rowFor(id)
      chunkOf(row).writeUInt32LE(wholeNumber(pass, 4), offsetOf(row) + SEEN)
    },
    /** A photo that is wanted again goes to the end: after a failure the others come first. */
    want({ id, sha256, size, content_type, version }: PhotoInfo): PendingDownload {
      const row = rowFor(id)
      wantChunks[Math.floor(row / CHUNK_ROWS)] ??= Buffer.alloc(CHUNK_ROWS * WANT_BYTES)
      const chunk = wantsOf(row)
      const from = wantFrom(row)
      const order = wanted++
      if (order === wants.length) {
        const longer = new Int32Array(2 * order)
        longer.set(wants)
        wants = longer
      }
      wants[order] = row
      if (isWanted(row)) pendingBytes += wholeNumber(size ?? 0, 6) - wantedBytes(row)
      chunk.fill(0, from + WANT_SHA256, from + WANT_SHA256 + 32)
      if (sha256 !== null) chunk.write(sha256, from + WANT_SHA256, 'hex')
      chunk.writeUIntLE(wholeNumber(size ?? 0, 6), from + WANT_SIZE, 6)
      chunk.writeUInt32LE(wholeNumber(version, 4), from + WANT_VERSION)
      chunk.writeUInt16LE(kindOf('', content_type), from + WANT_KIND)
      chunk.writeUInt32LE(order, from + WANT_ORDER)
      changeFlags(row, (flagsOf(row) & HELD) | WANTED | (sha256 !== null ? WANT_HAS_SHA256 : 0) | (size !== null ? WANT_HAS_SIZE : 0))
      if (sha256 !== null) byContent?.add(hashAt(chunk, from + WANT_SHA256), row)
      return pendingAt(row)
    },
    /** Stored: no longer wanted. */
    hold({ id, file, sha256, size, mtime_ms, version, content_type }: StoredPhoto): void {
      const row = rowFor(id)
      const chunk = chunkOf(row)
      const from = offsetOf(row)
      chunk.write(sha256, from + HELD_SHA256, 'hex')
      chunk.writeUIntLE(wholeNumber(size, 6), from + HELD_SIZE, 6)
      chunk.writeUIntLE(wholeNumber(mtime_ms, 6), from + HELD_MTIME, 6)
      chunk.writeUInt32LE(wholeNumber(version, 4), from + HELD_VERSION)
      chunk.writeUInt16LE(kindOf(file.slice(id.length + 1), content_type), from + HELD_KIND)
      changeFlags(row, HELD)
      byContent?.add(hashAt(chunk, from + HELD_SHA256), row)
    },
    /** Neither stored nor wanted nor listed any more. */
    drop(id: string): void {
      const row = find(id)
      if (row === -1) return
      changeFlags(row, 0)
      chunkOf(row).writeUInt32LE(0, offsetOf(row) + SEEN)
    },
    report({ photo_id, status, error, version }: PendingReport): void {
      const row = rowFor(photo_id)
      if (!reportsAt(row)) reportCount++
      chunkOf(row)[offsetOf(row) + REPORT_STATUS] = STATUSES.indexOf(status) + 1
      chunkOf(row).writeUInt32LE(wholeNumber(version, 4), offsetOf(row) + REPORT_VERSION)
      if (error === null) errors.delete(row)
      else errors.set(row, error)
    },
    reported(id: string): void {
      const row = find(id)
      if (row === -1 || !reportsAt(row)) return
      reportCount--
      chunkOf(row)[offsetOf(row) + REPORT_STATUS] = 0
      errors.delete(row)
    },
    reportOf(id: string): PendingReport | undefined {
      const row = find(id)
      return row !== -1 && reportsAt(row) ? reportAt(row) : undefined
    },
    /** Stored or wanted photos that this full listing did not contain. */
    *notSeenIn(pass: number): Generator<string> {
      for (const row of rowsWith((one) => (isHeld(one) || isWanted(one)) && numberAt(one, SEEN) !== pass)) yield idOf(row)
    },
  }
}

type RowIndex = ReturnType<typeof createRowIndex>

/**
 * Rows by a hash, in an open table. Entries are not removed: what is found is compared anyway.
 * `addAll` adds every entry again when the table grows.
 */
function createRowIndex(addAll: (add: (hash: number, row: number) => void) => void) {
  let slots = new Int32Array(512)
  let used = 0
  function put(hash: number, row: number): void {
    if (2 * ++used > slots.length) return
    let slot = hash & (slots.length - 1)
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
    slots[slot] = row + 1
  }
  const isFull = () => 2 * used > slots.length
  function grow(): void {
    do {
      slots = new Int32Array(slots.length * 2)
      used = 0
      addAll(put)
    } while (isFull())
  }
  grow()
  return {
    refill: grow,
    add(hash: number, row: number): void {
      put(hash, row)
      if (isFull()) grow()
    },
    /** Returns -1 when none matches. */
    find(hash: number, matches: (row: number) => boolean): number {
      for (let slot = hash & (slots.length - 1); slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
        const row = (slots[slot] as number) - 1
        if (matches(row)) return row
      }
      return -1
    },
  }
}
