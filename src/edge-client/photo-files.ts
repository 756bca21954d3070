import { createHash, type Hash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { onDisk } from './disk-failure.ts'
import type { PendingDownload, StoredPhoto } from './state.ts'

const EXTENSIONS: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
}
const PART = /^\.([0-9a-f-]{36})\.([0-9a-f]{64}|unknown)\.part$/
const SHOWN = /^([0-9a-f-]{36})\.(?:jpg|png|gif|webp|avif|bin)$/

export const extensionOf = (contentType: string | null): string => EXTENSIONS[contentType?.split(';')[0]?.trim() ?? ''] ?? 'bin'

/** The bytes are not those that were announced: on the way, or on the disk of the server. */
export class ChecksumError extends Error {}

export type PhotoFiles = ReturnType<typeof createPhotoFiles>

/** Bytes on their way into the folder. */
export interface Incoming {
  /** How many are here already, from an earlier try. */
  from: number
  append(chunk: Uint8Array): Promise<void>
  /** What came is not the continuation but the whole again. */
  restart(): Promise<void>
  /** Verifies and shows the photo under its name, whole or not at all; an older picture is there until this one is. */
  finish(info: { sha256: string; contentType: string; version: number }): Promise<StoredPhoto>
  /** Keeps what came, for the next try. */
  pause(): Promise<void>
}

/**
 * The folder of pictures: `{photo_id}.{ext}`, and everything unfinished behind a dot. Ids and hashes come from outside, so a name is checked before it
 * becomes a path; what others may have put in a file's place (links, pipes) is replaced, never written through. Throws DiskFailure.
 */
export function createPhotoFiles(dir: string) {
  /** File names by photo, as the folder was looked through and as they came since. */
  const shown = new Map<string, string[]>()
  function partOf({ id, sha256 }: Pick<PendingDownload, 'id' | 'sha256'>): string {
    const name = `.${id}.${sha256 ?? 'unknown'}.part`
    if (!PART.test(name)) throw new Error(`${JSON.stringify(name)} is no name of an unfinished photo`)
    return join(dir, name)
  }
  function shownAs(id: string, contentType: string): string {
    const name = `${id}.${extensionOf(contentType)}`
    if (!SHOWN.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a photo`)
    return name
  }
  async function createPart(part: string, bytes: Uint8Array): Promise<void> {
    await rm(part, { force: true })
    const handle = await open(part, 'wx')
    try {
      await handle.writeFile(bytes)
      await handle.datasync()
    } catch (error) {
      // A full disk needs the room for what is said about it.
      await rm(part, { force: true }).catch(() => {})
      throw error
    } finally {
      await handle.close()
    }
  }

  async function show(part: string, id: string, info: { sha256: string; contentType: string; version: number }): Promise<StoredPhoto> {
    const file = shownAs(id, info.contentType)
    const path = join(dir, file)
    await rename(part, path)
    // Another format has another ending; the old picture goes only now.
    for (const other of shown.get(id) ?? []) if (other !== file) await rm(join(dir, other), { force: true })
    shown.set(id, [file])
    const { size, mtimeMs } = await stat(path)
    return { id, file, sha256: info.sha256, size, mtime_ms: Math.round(mtimeMs), version: info.version, content_type: info.contentType }
  }

  return {
    dir,

    prepare: (): Promise<void> =>
      onDisk(async () => {
        await mkdir(dir, { recursive: true })
      }),

    /** Looks the folder through: removes unfinished files that nobody will finish; those of wanted photos stay, and are named in the answer. */
    sweep: (pending: ReadonlyMap<string, PendingDownload>): Promise<Set<string>> =>
      onDisk(async () => {
        const begun = new Set<string>()
        for (const name of await readdir(dir)) {
          const [, id = '', sha256] = PART.exec(name) ?? []
          if (id === '') {
            const [, photo] = SHOWN.exec(name) ?? []
            if (photo) shown.set(photo, [...(shown.get(photo) ?? []), name])
            continue
          }
          const item = pending.get(id)
          if (item && item.sha256 === sha256) begun.add(id)
          else await rm(join(dir, name), { force: true })
        }
        return begun
      }),

    /** Whether the file is as it was written, without reading it. */
    async untouched(held: StoredPhoto): Promise<boolean> {
      const now = await stat(join(dir, held.file)).catch(() => null)
      return now?.isFile() === true && now.size === held.size && Math.round(now.mtimeMs) === held.mtime_ms
    },

    /** The photo as it lies there, when its bytes are the wanted ones; null otherwise. Reads the whole file. */
    async adopt(pending: PendingDownload): Promise<StoredPhoto | null> {
      if (pending.sha256 === null || pending.content_type === null) return null
      const file = shownAs(pending.id, pending.content_type)
      const path = join(dir, file)
      const now = await stat(path).catch(() => null)
      if (!now?.isFile() || (pending.size !== null && now.size !== pending.size)) return null
      // What cannot be read (a bad sector) is as good as not there: it is fetched again.
      if ((await hashFile(path).catch(() => null)) !== pending.sha256) return null
      return {
        id: pending.id,
        file,
        sha256: pending.sha256,
        size: now.size,
        mtime_ms: Math.round(now.mtimeMs),
        version: pending.version,
        content_type: pending.content_type,
      }
    },

    remove: (held: StoredPhoto): Promise<void> => onDisk(() => rm(join(dir, held.file), { force: true })),
    forget: (pending: PendingDownload): Promise<void> => onDisk(() => rm(partOf(pending), { force: true })),

    /** A whole photo from memory, as an archive gives it. */
    async put(pending: PendingDownload, bytes: Uint8Array, contentType: string): Promise<StoredPhoto> {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      if (pending.sha256 !== sha256) throw new ChecksumError('The bytes are not those that were listed')
      const part = partOf(pending)
      return onDisk(async () => {
        await createPart(part, bytes)
        return show(part, pending.id, { sha256, contentType, version: pending.version })
      })
    },

    /** Keeps the beginning of a photo whose rest did not come. */
    async putPart(pending: PendingDownload, bytes: Uint8Array): Promise<void> {
      if (pending.sha256 === null || bytes.length === 0) return
      await onDisk(() => createPart(partOf(pending), bytes))
    },

    /** Opens a photo for bytes to come; what an earlier try has left is continued. */
    begin: (pending: PendingDownload): Promise<Incoming> =>
      onDisk(async () => {
        const part = partOf(pending)
        let hash: Hash = createHash('sha256')
        // Without a hash nobody can say that the rest belongs to it.
        if (pending.sha256 === null || !(await isOwnFile(part))) await rm(part, { force: true, recursive: true })
        const handle: FileHandle = await open(part, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | NO_FOLLOW)
        const empty = async () => {
          await handle.truncate(0)
          hash = createHash('sha256')
        }
        let from = (await handle.stat()).size
        if (from > 0) for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer)
        if (pending.size !== null && from > pending.size) {
          await empty()
          from = 0
        }
        return {
          from,
          append: (chunk) =>
            onDisk(async () => {
              hash.update(chunk)
              try {
                await handle.appendFile(chunk)
              } catch (error) {
                await handle.truncate(0).catch(() => {})
                throw error
              }
            }),
          restart: () => onDisk(empty),
          async finish(info) {
            const sha256 = hash.digest('hex')
            return onDisk(async () => {
              try {
                await handle.datasync()
              } finally {
                await handle.close()
              }
              if (sha256 !== info.sha256) {
                await rm(part, { force: true })
                throw new ChecksumError(`The bytes are not those that were announced`)
              }
              return show(part, pending.id, info)
            })
          },
          pause: () => onDisk(() => handle.close()),
        }
      }),
  }
}

/** Windows has no such flag, and no links that an ordinary account can make. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0

/** Nothing, or a file under this one name: bytes that are appended to it are in no other file. */
async function isOwnFile(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null)
  return found === null || (found.isFile() && found.nlink === 1)
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
