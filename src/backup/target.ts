import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { BlobStore } from '../images/storage/blob-store.ts'
import { createFileStore } from '../images/storage/file-store.ts'
import type { S3Settings } from '../images/storage/s3-store.ts'
import { makePrivateFolder } from '../lib/data-dir.ts'
import { BadRequestError, NotFoundError } from '../lib/errors.ts'
import { fsyncPath } from '../lib/fsync.ts'
import { openRegularFile } from '../lib/open-regular-file.ts'
import { describeSystemError } from '../lib/startup-error.ts'

/**
 * Where backups are kept: bytes once per content (`content/ab/<sha256>`), and a small text for each
 * finished backup (`backups/<id>.json`).
 */
export interface BackupTarget extends AsyncDisposable {
  /** A folder of this machine for unfinished work. */
  workDir: string
  content: Pick<BlobStore<'content'>, 'temporaryPath' | 'keep' | 'open' | 'sizeOf' | 'remove' | 'list' | 'sweep'>
  /** Null when it does not exist. */
  readText(name: string): Promise<string | null>
  /** Whole and durable, or not at all. */
  writeText(name: string, text: string): Promise<void>
  /** Returns the names of texts in a folder, e.g. `backups/`. */
  listTexts(folder: string): Promise<string[]>
  removeText(name: string): Promise<void>
}

/** The bucket is named by the target. */
export type BucketAccess = Omit<S3Settings, 'bucket'>

const S3_TARGET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/

/**
 * Returns the target as it is stored and shown: a bucket, or an absolute folder. Throws
 * BadRequestError `invalid_backup_target`.
 */
export function normalizeTarget(target: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(target)) return resolve(target)
  const [, bucket, prefix = ''] = S3_TARGET.exec(target) ?? []
  if (bucket === undefined) throw new BadRequestError('invalid_backup_target', { target })
  return prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`
}

/**
 * Opens a target; `mustExist`: does not create the folder. Throws BadRequestError
 * `invalid_backup_target`, NotFoundError `backup_not_found`.
 */
export async function openTarget(
  target: string,
  { bucketAccess, workDir, mustExist = false }: { bucketAccess: BucketAccess; workDir: string; mustExist?: boolean },
): Promise<BackupTarget> {
  const name = normalizeTarget(target)
  await mkdir(workDir, { recursive: true, mode: 0o700 })
  const [, bucket, prefix = ''] = S3_TARGET.exec(name) ?? []
  if (bucket === undefined) return openFolder(name, { workDir, mustExist })
  const { createS3Store } = await import('../images/storage/s3-store.ts')
  const store = createS3Store<'content'>({ ...bucketAccess, bucket }, workDir, {
    prefix: prefix === '' ? '' : `${prefix}/`,
  })
  return {
    workDir,
    content: store,
    readText: store.readText,
    writeText: store.writeText,
    listTexts: store.listTexts,
    removeText: store.removeText,
    [Symbol.asyncDispose]: async () => store.close(),
  }
}

const missing = (error: NodeJS.ErrnoException): null => {
  if (error.code === 'ENOENT') return null
  throw error
}

async function openFolder(root: string, { workDir, mustExist }: { workDir: string; mustExist: boolean }): Promise<BackupTarget> {
  try {
    const there = await readdir(root).catch(missing)
    if (!there && mustExist) throw new NotFoundError('backup_not_found', { target: root })
    // A backup holds the whole shop: for this account only.
    if (!there) await makePrivateFolder(root)
    if (!mustExist) await rmdir(await mkdtemp(join(root, '.try-')))
  } catch (cause) {
    if (cause instanceof NotFoundError) throw cause
    const problem = describeSystemError(cause) ?? (cause instanceof Error ? cause.message : String(cause))
    throw new BadRequestError('invalid_backup_target.unusable', { target: root, problem }, { cause })
  }
  return {
    workDir,
    content: createFileStore<'content'>(root),
    async readText(name) {
      await using handle = await openRegularFile(join(root, name)).catch(missing)
      return handle ? await handle.readFile('utf8') : null
    },
    async writeText(name, text) {
      const path = join(root, name)
      await mkdir(dirname(path), { recursive: true })
      const unfinished = `${path}.${randomUUID()}.part`
      try {
        const handle = await open(unfinished, 'wx', 0o600)
        try {
          await handle.writeFile(text)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(unfinished, path)
        await fsyncPath(dirname(path))
      } finally {
        await rm(unfinished, { force: true })
      }
    },
    async listTexts(folder) {
      const names = (await readdir(join(root, folder)).catch(missing)) ?? []
      return names.filter((name) => !name.endsWith('.part')).map((name) => `${folder}${name}`)
    },
    removeText: (name) => rm(join(root, name), { force: true }),
    [Symbol.asyncDispose]: async () => {},
  }
}
