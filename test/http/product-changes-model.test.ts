import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { expect } from 'vitest'
import type { Product, ProductsResponse } from '../../src/schemas/products.ts'
import { longTest, times } from '../helpers/long.ts'
import { createRandom } from '../helpers/random.ts'
import { startZinc } from '../helpers/zinc.ts'

interface Page {
  data: { seq: number; change: 'upsert' | 'delete'; id: string; product: Product | null }[]
  next_cursor: string
  has_more: boolean
}

const ROUNDS = times(3, 120)
const WRITERS = 4

/** Addresses of images are signed and may differ by the moment. */
const comparable = ({ image_url: _, images, ...product }: Product) => ({ ...product, images: images.map(({ id }) => id) })

longTest('tables of four readers are equal to zinc’s after writers of every kind, late commits included', async () => {
  const zinc = await startZinc({ synced: true })
  const random = createRandom(20_261_130)
  const read = async <T>(path: string) => (await (await zinc.call(path)).json()) as T
  const { data: products } = await read<ProductsResponse>('/api/products?limit=500')
  const ids = products.map(({ id }) => id)
  const pick = () => ids[Math.floor(random() * ids.length)]!
  let writing = true

  async function write(n: number): Promise<void> {
    const client = new pg.Client(zinc.environment.DATABASE_URL)
    await client.connect()
    for (let round = 0; round < ROUNDS; round++) {
      const [id, other] = [pick(), pick()].sort()
      const kind = Math.floor(random() * 5)
      if (kind === 0) await zinc.sync(`?mode=full`)
      else if (kind === 1)
        await client.query('update product set deleted_at = case when deleted_at is null then now() end where id = $1', [id])
      else if (kind === 2) await client.query('update photo set alt_en = $2 where product_id = $1', [id, `${n} ${round}`])
      else {
        await client.query('begin')
        try {
          await client.query('update product set description = $2 where id = $1', [id, `${n} ${round}`])
          // A transaction that others pass.
          if (kind === 3) await pause(random() * 40)
          await client.query('update product set selling_price = $2, updated_at = now() where id = $1', [other, round])
          await client.query(random() < 0.9 ? 'commit' : 'rollback')
        } catch (error) {
          // A sync that writes the same products in another order may win.
          if ((error as { code?: string }).code !== '40P01') throw error
          await client.query('rollback')
        }
      }
    }
    await client.end()
  }

  async function follow(limit: number): Promise<Map<string, Product>> {
    const table = new Map<string, Product>()
    let cursor = ''
    for (let last = false; ; ) {
      const quiet = !writing
      const page: Page = await read(`/api/products/changes?limit=${limit}&wait=0.05${cursor && `&cursor=${cursor}`}`)
      for (const { change, id, product } of page.data) {
        if (change === 'delete') table.delete(id)
        else table.set(id, product!)
      }
      const seqs = page.data.map(({ seq }) => seq)
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
      cursor = page.next_cursor
      if (last && page.data.length === 0) return table
      last = quiet && !page.has_more
    }
  }

  const readers = [1, 3, 10, 1000].map(follow)
  await Promise.all(Array.from({ length: WRITERS }, (_, n) => write(n)))
  writing = false
  const tables = await Promise.all(readers)
  const { data } = await read<ProductsResponse>('/api/products?limit=500')
  const expected = data.map(comparable).sort((a, b) => (a.id < b.id ? -1 : 1))
  for (const table of tables) expect([...table.values()].map(comparable).sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(expected)
})
