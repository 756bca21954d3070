import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { pipeline as pipe } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { z } from 'zod'
import { isContentName } from '../images/storage/blob-store.ts'
import { ConflictError, NotFoundError } from '../lib/errors.ts'
import type { BackupTarget } from './target.ts'

const Sha256 = z.string().refine(isContentName)
const Stored = z.object({ sha256: Sha256, size: z.int().min(0) })

/** What a finished backup consists of; its files are listed in a content of their own. */
export const Manifest = z.object({
  format: z.literal(1),
  id: z.string(),
  /** The moment of the database's rows. */
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  /** partial: images that the database names were already missing or damaged. */
  state: z.enum(['success', 'partial']),
  database: Stored.extend({
    tables: z.int(),
    rows: z.int(),
    digests: z.record(z.string(), z.object({ rows: z.int(), digest: z.string() })),
  }),
  file_list: Stored,
  /** All files with their bytes, images among them; `added`: what was not there before. */
  files: z.int(),
  images: z.int(),
  bytes: z.int(),
  added: z.object({ files: z.int(), bytes: z.int() }),
  /** Paths of images that could not be read whole; at most 1,000. */
  missing: z.array(z.string()),
  keys: z.object({
    included: z.boolean(),
    /** Fingerprints of the newest keys; null before the first start. */
    jwt: z.string().nullable(),
    credentials: z.string().nullable(),
  }),
})
export type Manifest = z.infer<typeof Manifest>

/** One file of a backup; `path` begins with the name of its folder: images, settings … */
export interface BackupFile {
  path: string
  sha256: string
  size: number
}

const FOLDER = 'backups/'
const nameOf = (id: string) => `${FOLDER}${id}.json`
const Envelope = z.object({ manifest: z.unknown(), sha256: z.string() })
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Writes the manifest, which makes the backup a finished one. */
export async function writeManifest(target: BackupTarget, manifest: Manifest): Promise<void> {
  await target.writeText(nameOf(manifest.id), `${JSON.stringify({ manifest, sha256: hashOf(JSON.stringify(manifest)) })}\n`)
}

/** Returns the ids of the finished backups, oldest first. */
export async function backupIds(target: BackupTarget): Promise<string[]> {
  const names = await target.listTexts(FOLDER)
  return names
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(FOLDER.length, -'.json'.length))
    .sort()
}

/** Throws NotFoundError `backup_not_found.id`, ConflictError `backup_damaged`. */
export async function readManifest(target: BackupTarget, id: string): Promise<Manifest> {
  const text = await target.readText(nameOf(id))
  if (text === null) throw new NotFoundError('backup_not_found.id', { id })
  try {
    const { manifest, sha256 } = Envelope.parse(JSON.parse(text))
    if (hashOf(JSON.stringify(manifest)) !== sha256) throw new Error('its checksum is wrong')
    return Manifest.parse(manifest)
  } catch (cause) {
    throw damaged(id, [nameOf(id)], cause)
  }
}

/**
 * Returns the backup of an id, without one the newest. Throws also NotFoundError
 * `backup_not_found`: none was finished there.
 */
export async function findManifest(target: BackupTarget, { id, name }: { id?: string | undefined; name: string }): Promise<Manifest> {
  const newest = id ?? (await backupIds(target)).at(-1)
  if (newest === undefined) throw new NotFoundError('backup_not_found', { target: name })
  return readManifest(target, newest)
}

export const removeManifest = (target: BackupTarget, id: string): Promise<void> => target.removeText(nameOf(id))

/** `files`: the first of them. */
export const damaged = (id: string, files: string[], cause?: unknown) =>
  new ConflictError('backup_damaged', { id, files: files.slice(0, 20), count: files.length }, { cause })

const FileLine = z.object({ path: z.string(), sha256: Sha256, size: z.int().min(0) })

/** A relative path that stays where it is put. */
const isSafePath = (path: string): boolean =>
  posix.normalize(path) === path && !path.startsWith('/') && !path.startsWith('..') && !/[\\\0]/.test(path)

/**
 * Copies a content into a temporary file, while `work` uses it, after its hash was compared. Throws
 * ConflictError `backup_damaged`.
 */
export async function withContent<T>(
  target: BackupTarget,
  { id, sha256, name }: { id: string; sha256: string; name: string },
  work: (path: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const path = join(target.workDir, `${process.pid}-${sha256.slice(0, 12)}`)
  try {
    if (!(await copyContent(target, sha256, path, { signal, mode: 0o600 }))) throw damaged(id, [name])
    return await work(path)
  } finally {
    await rm(path, { force: true })
  }
}

/** Writes a content to a new file; false when it is missing or its bytes are others. */
export async function copyContent(
  target: BackupTarget,
  sha256: string,
  path: string,
  { signal, mode }: { signal?: AbortSignal | undefined; mode: number },
): Promise<boolean> {
  const hash = createHash('sha256')
  try {
    const { stream } = await target.content.open('content', sha256)
    await pipeline(
      stream,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(path, { mode }),
      { ...(signal && { signal }) },
    )
  } catch (error) {
    if (error instanceof NotFoundError) return false
    throw error
  }
  return hash.digest('hex') === sha256
}

/** Yields the files of a gzipped list, in its order. Throws ConflictError `backup_damaged`. */
export async function* readFileList(path: string, id: string): AsyncGenerator<BackupFile> {
  const unzipped = pipe(createReadStream(path), createGunzip(), () => {}) // the loop gets the error of either
  unzipped.setEncoding('utf8')
  let rest = ''
  try {
    for await (const chunk of unzipped as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield readLine(line)
    }
    if (rest !== '') yield readLine(rest)
  } catch (cause) {
    throw damaged(id, ['the list of its files'], cause)
  }
}

function readLine(line: string): BackupFile {
  const file = FileLine.parse(JSON.parse(line))
  if (!isSafePath(file.path)) throw new Error(`${file.path} leads elsewhere`)
  return file
}
