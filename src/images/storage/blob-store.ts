import type { Readable } from 'node:stream'

/**
 * originals: what is served, as received or converted · received: the bytes that a converted original (PNG of a BMP) was made from ·
 * variants: made by zinc, can be made again · imports: ZIP files that wait for their run
 */
export const STORED_KINDS = ['originals', 'received', 'variants', 'imports'] as const
export type StoredKind = (typeof STORED_KINDS)[number]

export interface StoredEntry {
  sha256: string
  size: number
  modified_at: Date
}

/** Bytes as a file of this machine, for programs that want a path; disposing ends the loan. */
export interface LocalFile extends AsyncDisposable {
  path: string
}

export interface OpenedBytes {
  size: number
  stream: Readable
}

/** A place for bytes, by content: equal bytes are one file, a name never changes its bytes. Disk and bucket pass one suite of tests. */
export interface BlobStore {
  readonly backend: 'file' | 's3'
  /** Where bytes are gathered before they are judged, always on this machine; removed by the caller, and by the sweep at start. */
  temporaryPath(): Promise<string>
  /** Takes a whole temporary file under its hash; afterwards the temporary path is gone. Originals are safe before this resolves, also through a loss of power; variants can be made again. */
  keep(kind: StoredKind, temporary: string, sha256: string): Promise<void>
  /** Opens before any header is sent, so that a missing file is an ordinary error; `size` is of the whole file and must match the row's. */
  open(kind: StoredKind, sha256: string, range?: { start: number; end: number }): Promise<OpenedBytes>
  openLocal(kind: StoredKind, sha256: string, signal: AbortSignal): Promise<LocalFile>
  /** Where the file lies on this machine; null with a bucket. */
  localPath(kind: StoredKind, sha256: string): string | null
  /** Null when it is not there. */
  sizeOf(kind: StoredKind, sha256: string): Promise<number | null>
  /** No error when it is gone already. */
  remove(kind: StoredKind, sha256: string): Promise<void>
  list(kind: StoredKind): AsyncGenerator<StoredEntry>
  /** Free bytes where pictures go, and the whole; null where that has no end. */
  space(): Promise<{ free: number; total: number } | null>
  /** Removes temporary files that a killed process left; those of living processes stay. */
  sweep(): Promise<number>
}

/** Only hashes name files: anything else would be a path from outside. */
const SHA256 = /^[0-9a-f]{64}$/
export const isContentName = (name: string): boolean => SHA256.test(name)
