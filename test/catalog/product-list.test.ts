import { expect } from 'vitest'
import type { ProductsResponse } from '../../src/schemas/products.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('a list entered anywhere shows what paging shows there, and its total counts what the filter finds', async () => {
  const { call, sync } = await startZinc()
  await sync()
  const read = async (query: string) => (await (await call(`/api/products?${query}`)).json()) as ProductsResponse
  const ids = (response: ProductsResponse) => response.data.map(({ id }) => id)

  const all = await read('limit=500&total=true')
  expect(all.data).toHaveLength(30)
  expect(all.total).toBe(30)
  const paged: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: ProductsResponse = await read(`limit=7${cursor && `&cursor=${cursor}`}`)
    expect(page.total).toBeUndefined()
    paged.push(...ids(page))
    cursor = page.next_cursor
  }
  expect(paged).toEqual(ids(all))

  const middle = await read('limit=7&offset=21&total=true')
  expect(ids(middle)).toEqual(paged.slice(21, 28))
  expect(middle.next_cursor).not.toBeNull()
  expect(ids(await read(`limit=7&cursor=${middle.next_cursor}`))).toEqual(paged.slice(28))
  expect(await read('offset=30&total=true')).toMatchObject({ data: [], next_cursor: null, total: 30 })

  const sku = all.data[4]!.sku!
  const found = await read(`search=${encodeURIComponent(sku.toLowerCase())}&total=true`)
  expect(ids(found)).toContain(all.data[4]!.id)
  expect(found.total).toBe(found.data.length)
  expect((await read('search=no-such-thing&total=true')).total).toBe(0)
  for (const query of ['offset=-1', 'offset=x', 'total=perhaps']) expect((await call(`/api/products?${query}`)).status, query).toBe(400)
})
