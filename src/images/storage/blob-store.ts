import type { Readable } from 'node:stream'

/**
 * originals: what is served, as received or converted | received: the bytes that a converted
 * original (PNG of a BMP) was made from | variants: made by zinc, can be made again | imports: ZIP
 * files that wait for their run
 */
export const STORED_KINDS = ['originals', 'received', 'variants', 'imports'] as const
export type StoredKind = (typeof STORED_KINDS)[number]

export interface StoredEntry {
  sha256: string
  size: number
  modified_at: Date
}

/** A stored blob as a local file, for programs that need a path; disposing releases it. */
export interface LocalFile extends AsyncDisposable {
  path: string
}

export interface OpenedBytes {
  size: number
  stream: Readable
}

/**
 * Storage for bytes by content: equal bytes are one file, and the bytes of a name never change.
 * Disk and bucket pass the same tests.
 */
export interface BlobStore<Kind extends string = StoredKind> {
  readonly backend: 'file' | 's3'
  /**
   * Path for incoming bytes before they are checked, always on this machine; removed by the caller,
   * or by the sweep at start.
   */
  temporaryPath(): Promise<string>
  /**
   * Moves a complete temporary file to its hash; the temporary path no longer exists afterwards.
   * Originals are durable before this resolves, even on a power failure; variants can be made
   * again.
   */
  keep(kind: Kind, temporary: string, sha256: string): Promise<void>
  /**
   * Opens before any header is sent, so that a missing file is an ordinary error; `size` is of the
   * whole file and must match the row's.
   */
  open(kind: Kind, sha256: string, range?: { start: number; end: number }): Promise<OpenedBytes>
  openLocal(kind: Kind, sha256: string, signal: AbortSignal): Promise<LocalFile>
  /** The file's path on this machine; null with a bucket. */
  localPath(kind: Kind, sha256: string): string | null
  /** Null when it does not exist. */
  sizeOf(kind: Kind, sha256: string): Promise<number | null>
  /** No error when it does not exist. */
  remove(kind: Kind, sha256: string): Promise<void>
  /** `shard`: only hashes that begin with these two digits. */
  list(kind: Kind, shard?: string): AsyncGenerator<StoredEntry>
  /** Free and total bytes of the storage; null where it has no limit. */
  space(): Promise<{ free: number; total: number } | null>
  /** Removes temporary files of dead processes; those of running processes stay. */
  sweep(): Promise<number>
}

/** Only hashes name files: anything else would be a path from outside. */
const SHA256 = /^[0-9a-f]{64}$/
export const isContentName = (name: string): boolean => SHA256.test(name)

/** The first two digits of every hash: folders of this name hold the files. */
export const SHARDS = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))
