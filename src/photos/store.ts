import type { Readable } from 'node:stream'

export interface StoredBytes {
  sha256: string
  md5: string
  size: number
}

export interface PutOptions {
  maxBytes: number
  signal: AbortSignal
}

/** A place for bytes, by content: equal bytes are one file, a name never changes its bytes. */
export interface PhotoStore {
  /** Where bytes are gathered before they are judged; removed by the caller, and by the sweep at start. */
  temporaryPath(): Promise<string>
  /** Takes a whole, judged temporary file as an original: on disk under its hash before this resolves, also through a loss of power. */
  keepOriginal(temporary: string, sha256: string): Promise<void>
  /** Takes a variant. It can be made again, so this does not wait for the disk. */
  keepVariant(temporary: string, sha256: string): Promise<void>
  /** Opens before any header is sent, so that a missing file is an ordinary error; `size` must match the row's. */
  open(kind: 'originals' | 'variants', sha256: string, range?: { start: number; end: number }): Promise<{ size: number; stream: Readable }>
  pathOf(kind: 'originals' | 'variants', sha256: string): string
  has(kind: 'originals' | 'variants', sha256: string): Promise<boolean>
  /** Removes temporary files that a killed process left; those of living processes stay. */
  sweep(): Promise<number>
}
