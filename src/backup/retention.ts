import { SHARDS } from '../images/storage/blob-store.ts'
import { backupIds, type Manifest, readFileList, readManifest, removeManifest, withContent } from './manifest.ts'
import type { BackupTarget } from './target.ts'

export interface Keep {
  daily: number
  weekly: number
  monthly: number
}

const DAY_MS = 86_400_000

/**
 * Returns which backups to keep: the newest of each of the last days, weeks (from Monday) and
 * months with a backup, in UTC. The newest good one is always kept.
 */
export function chooseKept(backups: Pick<Manifest, 'id' | 'created_at' | 'state'>[], keep: Keep): Set<string> {
  const newestFirst = [...backups].sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
  const kept = new Set<string>()
  const good = newestFirst.find(({ state }) => state === 'success')
  if (good) kept.add(good.id)
  const week = (at: string) => String(Math.floor((Date.parse(at) / DAY_MS + 3) / 7)) // 1970-01-01 was a Thursday
  for (const [periods, periodOf] of [
    [keep.daily, (at: string) => at.slice(0, 10)],
    [keep.weekly, week],
    [keep.monthly, (at: string) => at.slice(0, 7)],
  ] as const) {
    const seen = new Set<string>()
    for (const { id, created_at } of newestFirst) {
      const period = periodOf(created_at)
      if (seen.has(period)) continue
      if (seen.size >= periods) break
      seen.add(period)
      kept.add(id)
    }
  }
  return kept
}

/**
 * Removes the backups that are not kept, then contents that no other has. A manifest that cannot be
 * read stops it: its contents are unknown. Returns the ids that were removed.
 */
export async function pruneBackups(target: BackupTarget, keep: Keep, signal: AbortSignal): Promise<string[]> {
  const manifests: Manifest[] = []
  for (const id of await backupIds(target)) manifests.push(await readManifest(target, id))
  const kept = chooseKept(manifests, keep)
  const removed = manifests.filter(({ id }) => !kept.has(id))
  if (removed.length === 0) return []
  const used = new Set<string>()
  for (const { id, file_list, database } of manifests) {
    if (!kept.has(id)) continue
    used.add(file_list.sha256).add(database.sha256)
    await withContent(target, { id, sha256: file_list.sha256, name: 'the list of its files' }, async (path) => {
      for await (const { sha256 } of readFileList(path, id)) used.add(sha256)
    })
  }
  for (const { id } of removed) await removeManifest(target, id)
  for (const shard of SHARDS) {
    signal.throwIfAborted()
    const unused: string[] = []
    for await (const { sha256 } of target.content.list('content', shard)) if (!used.has(sha256)) unused.push(sha256)
    for (const sha256 of unused) await target.content.remove('content', sha256)
  }
  return removed.map(({ id }) => id)
}
