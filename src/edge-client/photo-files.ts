import { createHash, type Hash } from 'node:crypto'
import { constants, createReadStream, statSync } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { onDisk } from './disk-failure.ts'
import type { PhotoTable } from './photo-table.ts'
import type { PhotoInfo, StoredPhoto } from './state.ts'

const EXTENSIONS: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
}
const PART = /^\.([0-9a-f-]{36})\.([0-9a-f]{64}|unknown)\.part$/
/** From a peer: never continued, since a liar may have begun it. */
const PEER_PART = /^\.[0-9a-f-]{36}\.[0-9a-f]{64}\.peer$/
const SHOWN = /^([0-9a-f-]{36})\.(?:jpg|png|gif|webp|avif|bin)$/

/** One of each extension. */
const TYPES = [...Object.keys(EXTENSIONS), 'application/octet-stream']

export const extensionOf = (contentType: string | null): string => EXTENSIONS[contentType?.split(';')[0]?.trim() ?? ''] ?? 'bin'

/** The bytes are not the announced ones: damaged on the way, or on the disk of the server. */
export class ChecksumError extends Error {}

export type PhotoFiles = ReturnType<typeof createPhotoFiles>

/** Bytes being written to the folder. */
export interface Incoming {
  /** How many are stored already, from an earlier attempt. */
  from: number
  append(chunk: Uint8Array): Promise<void>
  /** The response is not the continuation but the whole again. */
  restart(): Promise<void>
  /**
   * Verifies the photo and shows it under its name, completely or not at all; an older image stays
   * until then.
   */
  finish(info: { sha256: string; contentType: string; version: number }): Promise<StoredPhoto>
  /** Keeps what arrived, for the next attempt. */
  pause(): Promise<void>
}

/**
 * The folder of images: `{photo_id}.{ext}`, and everything unfinished under a name with a dot. Ids
 * and hashes come from outside, so a name is checked before it becomes a path. What others may have
 * put in a file's place (links, pipes) is replaced, never written through. Throws DiskFailure.
 */
export function createPhotoFiles(dir: string) {
  let held: Pick<PhotoTable['held'], 'get'> | null = null
  /** The folder may have images that the journal does not know. */
  let hasStrays = true
  function partOf({ id, sha256 }: Pick<PhotoInfo, 'id' | 'sha256'>): string {
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
      // A full disk needs the room for the journal.
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
    // Another format has another extension; the old image is deleted only now.
    const others = hasStrays ? TYPES.map((type) => shownAs(id, type)) : [held?.get(id)?.file ?? file]
    for (const other of others) if (other !== file) await rm(join(dir, other), { force: true })
    const { size, mtimeMs } = await stat(path)
    return { id, file, sha256: info.sha256, size, mtime_ms: Math.round(mtimeMs), version: info.version, content_type: info.contentType }
  }

  return {
    dir,
    pathOf: ({ file }: StoredPhoto): string => join(dir, file),

    prepare: (): Promise<void> =>
      onDisk(async () => {
        await mkdir(dir, { recursive: true })
      }),

    /**
     * Scans the folder and deletes unfinished files that no pending photo needs; returns the ids of
     * the others.
     */
    sweep: (photos: Pick<PhotoTable, 'pending' | 'held'>): Promise<Set<string>> =>
      onDisk(async () => {
        const begun = new Set<string>()
        held = photos.held
        hasStrays = false
        // One by one: a list of 100,000 names takes 20 MB.
        for await (const { name } of await opendir(dir)) {
          const [, id = '', sha256] = PART.exec(name) ?? []
          if (PEER_PART.test(name)) await rm(join(dir, name), { force: true })
          else if (id !== '') {
            if (photos.pending.get(id)?.sha256 === sha256) begun.add(id)
            else await rm(join(dir, name), { force: true })
          } else {
            const [, photo] = SHOWN.exec(name) ?? []
            hasStrays ||= photo !== undefined && photos.held.get(photo)?.file !== name
          }
        }
        return begun
      }),

    /** Whether the file is as it was written, judged without reading it. */
    untouched(held: StoredPhoto): boolean {
      const now = statSync(join(dir, held.file), { throwIfNoEntry: false })
      return now?.isFile() === true && now.size === held.size && Math.round(now.mtimeMs) === held.mtime_ms
    },

    /**
     * Returns the stored photo when its bytes are the wanted ones; null otherwise. Reads the whole
     * file.
     */
    async adopt(pending: PhotoInfo): Promise<StoredPhoto | null> {
      if (pending.sha256 === null || pending.content_type === null) return null
      const file = shownAs(pending.id, pending.content_type)
      const path = join(dir, file)
      const now = await stat(path).catch(() => null)
      if (!now?.isFile() || (pending.size !== null && now.size !== pending.size)) return null
      // A file that cannot be read (a bad sector) counts as missing: it is downloaded again.
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
    forget: (pending: PhotoInfo): Promise<void> => onDisk(() => rm(partOf(pending), { force: true })),

    /** Stores a complete photo from memory, as an archive delivers it. */
    async put(pending: PhotoInfo, bytes: Uint8Array, contentType: string): Promise<StoredPhoto> {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      if (pending.sha256 !== sha256) throw new ChecksumError('The bytes are not those that were listed')
      const part = partOf(pending)
      return onDisk(async () => {
        await createPart(part, bytes)
        return show(part, pending.id, { sha256, contentType, version: pending.version })
      })
    },

    /**
     * Stores a photo from a peer. Nothing of it stays unless all of it is right. Throws
     * ChecksumError, DiskFailure, and what reading throws.
     */
    async receive(pending: PhotoInfo, chunks: AsyncIterable<Uint8Array>): Promise<StoredPhoto> {
      const { id, sha256, content_type: contentType, version } = pending
      if (sha256 === null || contentType === null) throw new Error('A photo without a checksum cannot come from a peer')
      const part = `${partOf(pending).slice(0, -'.part'.length)}.peer`
      const handle = await onDisk(() =>
        open(part, 'wx').catch(async () => {
          await rm(part, { force: true })
          return open(part, 'wx')
        }),
      )
      const hash = createHash('sha256')
      try {
        try {
          for await (const chunk of chunks) {
            hash.update(chunk)
            await onDisk(() => handle.appendFile(chunk))
          }
          if (hash.digest('hex') !== sha256) throw new ChecksumError('The bytes are not those that were listed')
          await onDisk(() => handle.datasync())
        } finally {
          await handle.close()
        }
        return await onDisk(async () => {
          await rm(partOf(pending), { force: true })
          return show(part, id, { sha256, contentType, version })
        })
      } catch (error) {
        await rm(part, { force: true }).catch(() => {})
        throw error
      }
    },

    /** Keeps the first part of a photo whose rest did not arrive. */
    async putPart(pending: PhotoInfo, bytes: Uint8Array): Promise<void> {
      if (pending.sha256 === null || bytes.length === 0) return
      await onDisk(() => createPart(partOf(pending), bytes))
    },

    /** Opens a photo for writing; an earlier attempt's bytes are continued. */
    begin: (pending: PhotoInfo): Promise<Incoming> =>
      onDisk(async () => {
        const part = partOf(pending)
        let hash: Hash = createHash('sha256')
        // Without a hash it is unknown whether the rest belongs to it.
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

/** Windows has no such flag, and no links that an ordinary account can create. */
export const NO_FOLLOW = constants.O_NOFOLLOW ?? 0

/**
 * True for nothing, or a file with only this name: bytes appended to it appear in no other file.
 */
async function isOwnFile(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null)
  return found === null || (found.isFile() && found.nlink === 1)
}

/** What files are read through: a stream for each of 100,000 files takes 50 MB. */
const PIECE_BYTES = 64 * 1024
let spare: Buffer | null = null

async function hashFile(path: string): Promise<string> {
  const handle = await open(path)
  const piece = spare ?? Buffer.allocUnsafeSlow(PIECE_BYTES)
  spare = null
  try {
    const hash = createHash('sha256')
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, PIECE_BYTES, null)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, bytesRead))
    }
  } finally {
    spare = piece
    await handle.close()
  }
}
