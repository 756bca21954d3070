import pLimit from 'p-limit'
import { hashIn } from '../images/storage/move-storage.ts'
import { NotFoundError } from '../lib/errors.ts'
import { backupIds, damaged, type Manifest, readFileList, readManifest, withContent } from './manifest.ts'
import type { BackupTarget } from './target.ts'

const AT_ONCE = 4

export interface BackupCheck {
  id: string
  state: 'success' | 'partial' | 'damaged'
  created_at: string | null
  files: number
  /** Paths in the backup whose bytes are missing or others; the first 20. */
  damaged: string[]
}

/**
 * Reads every byte of every finished backup and compares it with its hash; a content that several
 * have is read once. Empty: no backup was finished there.
 */
export async function verifyBackups(target: BackupTarget, signal: AbortSignal): Promise<BackupCheck[]> {
  const known = new Map<string, Promise<boolean>>()
  const verdicts: BackupCheck[] = []
  for (const id of (await backupIds(target)).reverse()) {
    signal.throwIfAborted()
    verdicts.push(await verifyOne(target, id, { known, signal }))
  }
  return verdicts
}

async function verifyOne(
  target: BackupTarget,
  id: string,
  { known, signal }: { known: Map<string, Promise<boolean>>; signal: AbortSignal },
): Promise<BackupCheck> {
  let manifest: Manifest
  try {
    manifest = await readManifest(target, id)
  } catch (error) {
    if ((error as { code?: string }).code !== 'backup_damaged') throw error
    return { id, state: 'damaged', created_at: null, files: 0, damaged: ['its manifest'] }
  }
  const broken = await brokenFiles(target, manifest, { known, signal })
  return {
    id,
    state: broken.length > 0 ? 'damaged' : manifest.state,
    created_at: manifest.created_at,
    files: manifest.files,
    damaged: broken.slice(0, 20),
  }
}

/** Returns the paths in one backup whose bytes are missing or others. */
export async function brokenFiles(
  target: BackupTarget,
  manifest: Manifest,
  { known = new Map(), signal }: { known?: Map<string, Promise<boolean>>; signal: AbortSignal },
): Promise<string[]> {
  const limit = pLimit(AT_ONCE)
  const broken: string[] = []
  const isWhole = (sha256: string): Promise<boolean> => {
    const looking =
      known.get(sha256) ??
      limit(async () => {
        signal.throwIfAborted()
        try {
          return (await hashIn(target.content, 'content', sha256)) === sha256
        } catch (error) {
          if (error instanceof NotFoundError) return false
          throw error
        }
      })
    known.set(sha256, looking)
    return looking
  }
  if (!(await isWhole(manifest.database.sha256))) broken.push('the dump of the database')
  try {
    await withContent(target, { id: manifest.id, sha256: manifest.file_list.sha256, name: 'the list of its files' }, async (path) => {
      let batch: Promise<void>[] = []
      let files = 0
      for await (const file of readFileList(path, manifest.id)) {
        files++
        const looking = isWhole(file.sha256).then((whole) => void (whole || broken.push(file.path)))
        looking.catch(() => {}) // the batch reports it, unless the list is damaged further on
        batch.push(looking)
        if (batch.length < 1_000) continue
        await Promise.all(batch)
        batch = []
      }
      await Promise.all(batch)
      if (files !== manifest.files) throw damaged(manifest.id, ['the list of its files'])
    })
  } catch (error) {
    if ((error as { code?: string }).code !== 'backup_damaged') throw error
    broken.push('the list of its files')
  }
  return broken
}
