import { keepPreviousData, type QueryClient, queryOptions, useQueries, useQuery } from '@tanstack/react-query'
import type { Product, ProductCursorsResponse, ProductsResponse } from '../../../schemas/products.ts'
import { request } from '../../api/request.ts'
import { type ProductFilter, queryOf } from './product-filter.ts'

export const BLOCK_ROWS = 100
/**
 * Blocks that are no longer looked at: kept a while for the way back, not for ever, or a walk
 * through 100,000 rows would fill the memory.
 */
const KEPT_MS = 60_000
const FRESH_MS = 30_000

/** What a row of the list shows; the rest of the product is dropped. */
export interface GridRow
  extends Pick<
    Product,
    'id' | 'zoho_item_id' | 'sku' | 'name' | 'name_en' | 'name_ar' | 'currency' | 'status' | 'image_state' | 'brand' | 'updated_at'
  > {
  price: string | null
  cost: string | null
  stock: string | null
  category: string | null
  group: string | null
  barcode: string | null
  image_url: string | null
  source: NonNullable<Product['image_source']>['kind'] | null
  damaged: boolean
  /** Ids of its images. */
  images: string[]
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
  brand: product.brand,
  updated_at: product.updated_at,
  price: product.selling_price,
  cost: product.cost_price,
  stock: product.stock_on_hand,
  category: product.category?.name ?? null,
  group: product.group && (product.group.name ?? product.group.id),
  barcode: product.ean ?? product.upc ?? product.isbn,
  image_url: product.image_url,
  source: product.image_source?.kind ?? null,
  damaged: product.images.some((image) => image.is_primary && image.damaged),
  images: product.images.map(({ id }) => id),
})

/**
 * Where the blocks of a list begin: one request for the whole list, so that any block is read by
 * its cursor, at the same cost at any depth.
 */
const cursorsQuery = (filter: ProductFilter) =>
  queryOptions({
    queryKey: ['products', 'cursors', queryOf(filter)],
    gcTime: KEPT_MS,
    staleTime: FRESH_MS,
    queryFn: ({ signal }) =>
      request<ProductCursorsResponse>('/api/products/cursors', { query: { ...queryOf(filter), limit: BLOCK_ROWS }, signal }).then(
        ({ data }) => data,
      ),
  })

const blockQuery = (filter: ProductFilter, block: number, cursor: string | undefined) =>
  queryOptions({
    queryKey: ['products', 'blocks', queryOf(filter), block, cursor ?? null],
    gcTime: KEPT_MS,
    staleTime: FRESH_MS,
    queryFn: async ({ signal }) => {
      const response = await request<ProductsResponse>('/api/products', {
        // Only the first block counts: the number is the same for all.
        query: { ...queryOf(filter), limit: BLOCK_ROWS, cursor, total: block === 0 ? true : undefined },
        signal,
      })
      return { rows: response.data.map(rowOf), total: response.total }
    },
  })

/** As many as one answer holds. */
const READ_ROWS = 500

/** The rows of a list from one place to another, both included; in sight or not. */
export async function readRows(client: QueryClient, filter: ProductFilter, from: number, to: number): Promise<GridRow[]> {
  const block = Math.floor(from / BLOCK_ROWS)
  let cursor = block === 0 ? undefined : (await client.fetchQuery(cursorsQuery(filter)))[block - 1]
  if (block > 0 && cursor === undefined) return []
  const skipped = from - block * BLOCK_ROWS
  const wanted = to - from + 1
  const rows: GridRow[] = []
  while (rows.length < skipped + wanted) {
    const limit = Math.min(READ_ROWS, skipped + wanted - rows.length)
    const { data, next_cursor } = await request<ProductsResponse>('/api/products', { query: { ...queryOf(filter), limit, cursor } })
    rows.push(...data.map(rowOf))
    if (next_cursor === null) break
    cursor = next_cursor
  }
  return rows.slice(skipped, skipped + wanted)
}

/**
 * A list of any length, of which only the blocks in sight are read. While another filter is being
 * read, the first block of the one before
 * stays, so that the list does not flicker at each letter.
 */
export function useProductBlocks(filter: ProductFilter, [from, to]: readonly [number, number]) {
  const first = useQuery({ ...blockQuery(filter, 0, undefined), placeholderData: keepPreviousData })
  const total = first.data?.total
  const last = total === undefined ? 0 : Math.ceil(total / BLOCK_ROWS) - 1
  const cursors = useQuery({ ...cursorsQuery(filter), enabled: last > 0 && !first.isPlaceholderData })
  const requested: number[] = []
  if (cursors.data && !first.isPlaceholderData)
    for (let block = Math.max(1, from); block <= Math.min(to, last, cursors.data.length); block++) requested.push(block)
  const others = useQueries({ queries: requested.map((block) => blockQuery(filter, block, cursors.data?.[block - 1])) })

  const byBlock = new Map<number, GridRow[]>()
  if (first.data) byBlock.set(0, first.data.rows)
  requested.forEach((block, index) => {
    const rows = others[index]?.data?.rows
    if (rows) byBlock.set(block, rows)
  })
  return {
    total,
    error: first.error ?? cursors.error ?? others.find(({ error }) => error)?.error ?? null,
    isOld: first.isPlaceholderData,
    refetch: () => {
      void first.refetch()
      if (cursors.error) void cursors.refetch()
      for (const other of others) if (other.error) void other.refetch()
    },
    /** Undefined while its block is on the way. */
    rowAt: (index: number): GridRow | undefined => byBlock.get(Math.floor(index / BLOCK_ROWS))?.[index % BLOCK_ROWS],
  }
}
