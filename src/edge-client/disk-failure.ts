/** Texts for the file system errors that occur in a shop. Any other is reported by its code. */
const IN_WORDS: Record<string, { code: string; message: string }> = {
  ENOSPC: { code: 'disk_full', message: 'The disk is full' },
  EDQUOT: { code: 'disk_full', message: 'The disk quota is used up' },
  EROFS: { code: 'folder_read_only', message: 'The folder is read-only' },
  EACCES: { code: 'folder_not_writable', message: 'The folder is not writable' },
  EPERM: { code: 'folder_not_writable', message: 'The folder is not writable' },
}

/**
 * The folder cannot store what was pulled. Nothing in it is lost, and the next pull continues from
 * there.
 */
export class DiskFailure extends Error {
  readonly code: string
  constructor(cause: NodeJS.ErrnoException) {
    const known = IN_WORDS[cause.code ?? '']
    super(known ? `${known.message} (${cause.code})` : `The folder cannot be written (${cause.code})`, { cause })
    this.code = known?.code ?? 'folder_not_writable'
  }
}

/** Runs work on the folder; a file system error is thrown as DiskFailure. */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isSystemError(error) ? new DiskFailure(error) : error
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && typeof (error as NodeJS.ErrnoException).code === 'string'
