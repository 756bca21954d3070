import { link, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Database } from '../db.ts'
import type { PhotoStore } from './store.ts'

/** What the view calls a product: Zoho's id, or ours for products that Zoho does not know. */
export const viewName = (product: { id: string; zoho_item_id: string | null }) => product.zoho_item_id ?? product.id

/**
 * `images/item/{zoho_item_id}.{ext}`: one link per product with a picture, for people who look with `ls`.
 * It is only a view: everything in it can be made again from the rows, and nothing reads it.
 */
export function createView(folder: string, store: PhotoStore) {
  async function show(name: string, { sha256, ext }: { sha256: string; ext: string }): Promise<void> {
    await mkdir(folder, { recursive: true })
    const original = store.pathOf('originals', sha256)
    // Made beside and renamed over: at no moment is a product without its link, or the link without its file.
    const fresh = join(folder, `.${name}.${ext}.new`)
    await rm(fresh, { force: true })
    await link(original, fresh).catch(() => symlink(relative(dirname(fresh), original), fresh))
    await rename(fresh, join(folder, `${name}.${ext}`))
    // rename(2) does nothing when both are links to one file already, so the fresh one may still be there.
    await rm(fresh, { force: true })
    for (const other of ['jpg', 'png', 'gif', 'webp', 'avif'])
      if (other !== ext) await rm(join(folder, `${name}.${other}`), { force: true })
  }

  return {
    show,
    async hide(name: string): Promise<void> {
      for (const ext of ['jpg', 'png', 'gif', 'webp', 'avif']) await rm(join(folder, `${name}.${ext}`), { force: true })
    },
    /** Makes the view what the rows say: after a kill between a row and its link, or after somebody tidied up. */
    async restore(db: Database): Promise<{ shown: number; removed: number }> {
      await mkdir(folder, { recursive: true })
      const there = new Set(await readdir(folder))
      let shown = 0
      for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
        const photos = await db.photo.findMany({
          where: { is_primary: true, deleted_at: null, product: { deleted_at: null }, id: { gt: after } },
          include: { blob: true, product: { select: { id: true, zoho_item_id: true } } },
          orderBy: { id: 'asc' },
          take: 1000,
        })
        for (const { blob, product } of photos) {
          const file = `${viewName(product)}.${blob.ext}`
          if (there.delete(file)) continue
          await show(viewName(product), blob)
          shown++
        }
        const last = photos.at(-1)
        if (!last) break
        after = last.id
      }
      for (const file of there) await rm(join(folder, file), { force: true })
      return { shown, removed: there.size }
    },
  }
}
export type View = ReturnType<typeof createView>
