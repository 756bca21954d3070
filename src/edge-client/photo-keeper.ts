import type { AdoptableFiles } from './adopt-folder.ts'
import type { PhotoFiles } from './photo-files.ts'
import type { PullResult } from './pull.ts'
import type { EdgeState, PendingDownload, PhotoInfo, StoredPhoto } from './state.ts'

export interface PhotoKeeperOptions {
  state: EdgeState
  files: PhotoFiles
  adoptable: AdoptableFiles | null
  /** Counts what is done. */
  result: PullResult
  /** A photo was stored, or failed. */
  onDone(): void
  onStored(photo: StoredPhoto, from: 'line' | 'peer' | 'folder'): void
}

/** Keeps folder, journal and reports in step for each photo that comes, goes or fails. */
export function createPhotoKeeper({ state, files, adoptable, result, onDone, onStored }: PhotoKeeperOptions) {
  async function remove(id: string): Promise<void> {
    const held = state.held.get(id)
    const pending = state.pending.get(id)
    if (held) await files.remove(held)
    if (pending) await files.forget(pending)
    if (!held && !pending) return
    noLongerFailed(id)
    await state.drop(id, { photo_id: id, status: 'deleted', error: null, version: held?.version ?? pending?.version ?? 0 })
    if (held) result.removed++
  }

  /**
   * Listed again although it is stored: the server may want to be sure. Reading one file is cheap,
   * downloading it is not.
   */
  async function isHere(listed: PhotoInfo): Promise<boolean> {
    const one = state.held.get(listed.id)
    if (!one || (listed.sha256 === null ? listed.version !== one.version : listed.sha256 !== one.sha256)) return false
    const { id, sha256, size, content_type } = one
    if (!(await files.adopt({ id, sha256, size, content_type, version: listed.version }))) return false
    await state.keep({ ...one, version: listed.version }, { photo_id: id, status: 'synced', error: null, version: listed.version })
    return true
  }

  /** It failed earlier in this pull, and was listed again. */
  function noLongerFailed(id: string): void {
    const at = result.failed.findIndex(({ photo_id }) => photo_id === id)
    if (at !== -1) result.failed.splice(at, 1)
  }

  /** Work on one photo is sequential, so that an older image never replaces a newer one. */
  const turns = new Map<string, Promise<unknown>>()
  async function finish(
    pending: PendingDownload,
    show: () => Promise<StoredPhoto>,
    from: 'line' | 'peer' | 'folder' = 'line',
  ): Promise<void> {
    const turn = (turns.get(pending.id) ?? Promise.resolve())
      .catch(() => {})
      .then(async () => {
        if (!state.pending.includes(pending)) return
        const one = await show()
        await state.keep(one, { photo_id: one.id, status: 'synced', error: null, version: one.version })
        result[from === 'folder' ? 'adopted' : 'fetched']++
        noLongerFailed(one.id)
        onStored(one, from)
        onDone()
      })
      .finally(() => turns.get(pending.id) === turn && turns.delete(pending.id))
    turns.set(pending.id, turn)
    await turn
  }

  /**
   * Whether its bytes are stored already, by a pull that was killed before it could record them.
   */
  async function adopt(pending: PendingDownload): Promise<boolean> {
    const there = await files.adopt(pending)
    if (there) await finish(pending, async () => there)
    if (there || pending.content_type === null) return there !== null
    const { content_type } = pending
    const bytes = await adoptable?.find(pending)
    if (!bytes) return false
    await finish(pending, () => files.put(pending, bytes, content_type), 'folder')
    return true
  }

  async function fail(pending: PendingDownload, error: string): Promise<void> {
    if (!state.pending.includes(pending)) return // removed or replaced meanwhile
    noLongerFailed(pending.id)
    result.failed.push({ photo_id: pending.id, error })
    // Moves it to the end of the pending photos: the next pull begins with others.
    await state.want(pending)
    await state.report({ photo_id: pending.id, status: 'failed', error, version: pending.version })
    await state.failed(pending.id, error)
    onDone()
  }

  async function storeFromPeer(pending: PendingDownload, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    let stored: StoredPhoto | undefined
    await finish(
      pending,
      async () => {
        stored = await files.receive(pending, bytes)
        return stored
      },
      'peer',
    )
    if (!stored) return
    result.from_peers++
    result.bytes_from_peers += stored.size
    await state.cameFromPeer(stored.size)
  }

  return { remove, isHere, finish, adopt, fail, storeFromPeer }
}
