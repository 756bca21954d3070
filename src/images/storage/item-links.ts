import { link, lstat, mkdir, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { imageName } from '../../catalog/serialize-image.ts'
import type { Database } from '../../database/client.ts'
import { advisoryXactLock } from '../../database/locks.ts'
import { hashOfFile } from '../../lib/hash-file.ts'
import type { BlobStore } from './blob-store.ts'

/** The name of a product's link. */
export const linkName = imageName

const EXTENSIONS = ['jpg', 'png', 'gif', 'webp', 'avif']
const NIL_UUID = '00000000-0000-0000-0000-000000000000'

/**
 * `images/item/{zoho_item_id}.{ext}`: one link per product with an image, for people who browse the
 * folder. The links can be made again from the rows, and nothing reads them. A file that a person
 * put there is kept until the integrity scan's finding is repaired. With a bucket there are none.
 */
export function createItemLinks(folder: string, store: BlobStore) {
  async function show(name: string, { sha256, ext }: { sha256: string; ext: string }): Promise<void> {
    const original = store.localPath('originals', sha256)
    if (original === null) return
    await mkdir(folder, { recursive: true })
    if (await isForeign(`${name}.${ext}`, sha256)) return
    // Created under another name and renamed: at no moment is a product without its link, or the
    // link without its file.
    const fresh = join(folder, `.${name}.${ext}.new`)
    await rm(fresh, { force: true })
    try {
      await link(original, fresh).catch(() => symlink(relative(dirname(fresh), original), fresh))
      await rename(fresh, join(folder, `${name}.${ext}`))
    } finally {
      // rename(2) does nothing when both already link to the same file, so the new link may still
      // exist; also after an error.
      await rm(fresh, { force: true })
    }
    for (const other of EXTENSIONS) if (other !== ext) await removeLink(`${name}.${other}`)
  }
  /** Whether a person put the file there: neither a link of zinc's nor a copy of these bytes. */
  async function isForeign(file: string, sha256: string | null): Promise<boolean> {
    const path = join(folder, file)
    const facts = await lstat(path).catch(() => null)
    if (facts === null || !facts.isFile() || facts.nlink > 1) return false
    return sha256 === null || (await hashOfFile(path)) !== sha256
  }
  async function removeLink(file: string): Promise<void> {
    if (!(await isForeign(file, null))) await rm(join(folder, file), { force: true })
  }
  async function hide(name: string): Promise<void> {
    if (store.backend !== 'file') return
    for (const ext of EXTENSIONS) await removeLink(`${name}.${ext}`)
  }
  /**
   * Whether a link shows these bytes: an image may have been replaced by one of the same format
   * just before a crash.
   */
  async function isTrue(file: string, sha256: string): Promise<boolean> {
    const original = store.localPath('originals', sha256)
    if (original === null) return true
    const [shown, meant] = await Promise.all([stat(join(folder, file)).catch(() => null), stat(original).catch(() => null)])
    return shown !== null && shown.ino === meant?.ino && shown.dev === meant.dev
  }

  return {
    folder,
    show,
    hide,
    /** Updates the link of one product to its rows, also while others change it. */
    async refresh(db: Database, productId: string): Promise<void> {
      if (store.backend !== 'file') return
      await db.$transaction(async (tx) => {
        await advisoryXactLock(tx, `view ${productId}`)
        const product = await tx.product.findUnique({
          where: { id: productId },
          include: { photos: { where: { is_primary: true, deleted_at: null }, include: { blob: true } } },
        })
        if (!product) return
        const [primary] = product.photos
        if (primary && !product.deleted_at) await show(linkName(product), primary.blob)
        else await hide(linkName(product))
      })
    },
    /**
     * Updates all links to the rows: after a crash between a row and its link, or after files were
     * deleted by hand. `foreign`: files that a person put there, which stay.
     */
    async restore(db: Database): Promise<{ shown: number; removed: number; foreign: string[] }> {
      if (store.backend !== 'file') return { shown: 0, removed: 0, foreign: [] }
      await mkdir(folder, { recursive: true })
      const there = new Set(await readdir(folder))
      let shown = 0
      const foreign: string[] = []
      for (let after = NIL_UUID; ; ) {
        const photos = await db.photo.findMany({
          where: { is_primary: true, deleted_at: null, product: { deleted_at: null }, id: { gt: after } },
          include: { blob: true, product: { select: { id: true, zoho_item_id: true } } },
          orderBy: { id: 'asc' },
          take: 1000,
        })
        for (const { blob, product } of photos) {
          const file = `${linkName(product)}.${blob.ext}`
          if (there.delete(file) && (await isTrue(file, blob.sha256))) continue
          if (await isForeign(file, blob.sha256)) {
            foreign.push(file)
            continue
          }
          await show(linkName(product), blob)
          shown++
        }
        const last = photos.at(-1)
        if (!last) break
        after = last.id
      }
      let removed = 0
      for (const file of there) {
        // Names with a dot are zinc's own, left by a crash.
        if (!file.startsWith('.') && (await isForeign(file, null))) foreign.push(file)
        else {
          await rm(join(folder, file), { force: true })
          removed++
        }
      }
      return { shown, removed, foreign: foreign.sort() }
    },
  }
}
export type ItemLinks = ReturnType<typeof createItemLinks>
