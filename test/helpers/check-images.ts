import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { TestZinc } from './zinc.ts'

/**
 * What must hold at every moment, also right after a kill: each row of bytes has its whole file,
 * each stored product its photo, each photo its bytes' row.
 */
export async function checkImages({ dataDir, services: { db } }: Pick<TestZinc, 'dataDir' | 'services'>): Promise<void> {
  for (const { sha256, size } of await db.blob.findMany({ where: { removed_at: null } })) {
    const bytes = await readFile(join(dataDir, 'images', 'originals', sha256.slice(0, 2), sha256))
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([Number(size), sha256])
  }
  expect(await db.product.count({ where: { image_state: 'stored', photos: { none: { deleted_at: null } } } })).toBe(0)
  expect(await db.photo.count({ where: { blob: { removed_at: { not: null } }, deleted_at: null } })).toBe(0)
  const doubled = await db.photo.groupBy({ by: ['product_id'], where: { deleted_at: null }, having: { id: { _count: { gt: 1 } } } })
  expect(doubled).toEqual([])
}

export const temporaryFiles = ({ dataDir }: Pick<TestZinc, 'dataDir'>): Promise<string[]> =>
  readdir(join(dataDir, 'images', 'tmp')).catch(() => [])

/** `images/item` shows each product's picture as it is now, and nothing else. */
export async function checkLinks({ dataDir, services: { db } }: Pick<TestZinc, 'dataDir' | 'services'>): Promise<void> {
  const photos = await db.photo.findMany({ where: { deleted_at: null, is_primary: true }, include: { product: true, blob: true } })
  const folder = join(dataDir, 'images', 'item')
  const shown = (await readdir(folder)).map(async (name) => [
    name,
    createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex'),
  ])
  const meant = photos.map(({ product, blob }) => [`${product.zoho_item_id}.${blob.ext}`, blob.sha256])
  expect(Object.fromEntries(await Promise.all(shown))).toEqual(Object.fromEntries(meant))
}
