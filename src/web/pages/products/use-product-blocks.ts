import { keepPreviousData, type UseQueryOptions, useQueries, useQuery } from '@tanstack/react-query'
import type { Product, ProductsResponse } from '../../../schemas/products.ts'
import { request } from '../../api/request.ts'
import { type ProductFilter, queryOf } from './product-filter.ts'

export const BLOCK_ROWS = 100
/**
 * Blocks that are no longer looked at: kept a while for the way back, not for ever, or a walk
 * through 100,000 rows would fill the memory.
 */
const KEPT_MS = 60_000

/** What a row of the grid shows; the rest of the product is dropped. */
export interface GridRow
  extends Pick<Product, 'id' | 'zoho_item_id' | 'sku' | 'name' | 'name_en' | 'name_ar' | 'currency' | 'status' | 'image_state'> {
  price: string | null
  stock: string | null
  image_url: string | null
  source: NonNullable<Product['image_source']>['kind'] | null
  damaged: boolean
  /** Ids of its pictures. */
  images: string[]
}
interface Block {
  rows: GridRow[]
  total: number | undefined
}

const rowOf = (product: Product): GridRow => ({
  id: product.id,
  zoho_item_id: product.zoho_item_id,
  sku: product.sku,
  name: product.name,
  name_en: product.name_en,
  name_ar: product.name_ar,
  currency: product.currency,
  status: product.status,
  image_state: product.image_state,
  price: product.selling_price,
  stock: product.stock_on_hand,
  image_url: product.image_url,
  source: product.image_source?.kind ?? null,
  damaged: product.images.some((image) => image.is_primary && image.damaged),
  images: product.images.map(({ id }) => id),
})

/** As many as one answer holds. */
const READ_ROWS = 500

/** The rows of a list from one place to another, both included; in sight or not. */
export async function readRows(filter: ProductFilter, from: number, to: number): Promise<GridRow[]> {
  const rows: GridRow[] = []
  while (from + rows.length <= to) {
    const limit = Math.min(READ_ROWS, to - from - rows.length + 1)
    const { data } = await request<ProductsResponse>('/api/products', { query: { ...queryOf(filter), limit, offset: from + rows.length } })
    rows.push(...data.map(rowOf))
    if (data.length < limit) break
  }
  return rows
}

const blockQuery = (filter: ProductFilter, block: number): UseQueryOptions<Block> => ({
  queryKey: ['products', 'blocks', queryOf(filter), block],
  gcTime: KEPT_MS,
  staleTime: 30_000,
  queryFn: async ({ signal }) => {
    const response = await request<ProductsResponse>('/api/products', {
      // Only the first block counts: the number is the same for all.
      query: { ...queryOf(filter), limit: BLOCK_ROWS, offset: block * BLOCK_ROWS, total: block === 0 ? true : undefined },
      signal,
    })
    return { rows: response.data.map(rowOf), total: response.total }
  },
})

/**
 * A list of any length, of which only the blocks in sight are read. While another filter is being
 * read, the first block of the one before
 * stays, so that the list does not flicker at each letter.
 */
export function useProductBlocks(filter: ProductFilter, [from, to]: readonly [number, number]) {
  const first = useQuery({ ...blockQuery(filter, 0), placeholderData: keepPreviousData })
  const total = first.data?.total
  const last = total === undefined ? 0 : Math.ceil(total / BLOCK_ROWS) - 1
  const requested: number[] = []
  if (!first.isPlaceholderData) for (let block = Math.max(1, from); block <= Math.min(to, last); block++) requested.push(block)
  const others = useQueries({ queries: requested.map((block) => blockQuery(filter, block)) })

  const byBlock = new Map<number, GridRow[]>()
  if (first.data) byBlock.set(0, first.data.rows)
  requested.forEach((block, index) => {
    const rows = others[index]?.data?.rows
    if (rows) byBlock.set(block, rows)
  })
  return {
    total,
    error: first.error ?? others.find(({ error }) => error)?.error ?? null,
    isOld: first.isPlaceholderData,
    refetch: () => {
      void first.refetch()
      for (const other of others) if (other.error) void other.refetch()
    },
    /** Undefined while its block is on the way. */
    rowAt: (index: number): GridRow | undefined => byBlock.get(Math.floor(index / BLOCK_ROWS))?.[index % BLOCK_ROWS],
  }
}
