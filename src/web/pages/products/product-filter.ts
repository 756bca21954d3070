import { useMemo } from 'react'
import { useSearchParams } from 'wouter'
import type { CoverageKey } from '../../../schemas/coverage.ts'
import { COVERAGE_KEYS } from '../../products/coverage-labels.ts'
import { type ColumnKey, DEFAULT_COLUMNS, type ProductSortKey, toColumns } from './product-columns.ts'

export interface ProductFilter {
  search: string
  /** What a product lacks; `with_picture` those that have one; '' all. */
  show: CoverageKey | 'with_picture' | ''
  category: string
  brand: string
  group: string
  stock: 'in' | 'out' | ''
  status: 'active' | 'inactive' | ''
  sort: ProductSort
}
export type ProductSort = ProductSortKey | `-${ProductSortKey}`

/** How the list is shown. */
export interface ProductView {
  layout: 'table' | 'grid'
  columns: readonly ColumnKey[]
}

const SHOWN: readonly string[] = [...COVERAGE_KEYS, 'with_picture']
export const SORTS: readonly ProductSort[] = [
  'created_at',
  '-created_at',
  '-updated_at',
  'updated_at',
  'name',
  '-name',
  'sku',
  '-sku',
  'selling_price',
  '-selling_price',
  'stock_on_hand',
  '-stock_on_hand',
]
const UNSORTED: ProductSort = 'created_at'
export const NO_FILTER: ProductFilter = {
  search: '',
  show: '',
  category: '',
  brand: '',
  group: '',
  stock: '',
  status: '',
  sort: UNSORTED,
}

const oneOf = <T extends string>(value: string | null, allowed: readonly string[], otherwise: T): T =>
  value !== null && allowed.includes(value) ? (value as T) : otherwise

/**
 * The whole view is in the address, so that a link shows the same list:
 * `?search=…&coverage=…&sort=-updated_at&view=grid&columns=sku,price`
 */
export function useProductFilter() {
  const [params, setParams] = useSearchParams()
  const text = params.toString()
  const { filter, view } = useMemo(() => readAddress(new URLSearchParams(text)), [text])
  const change = (next: ProductFilter, nextView: ProductView) => setParams(addressOf(next, nextView), { replace: true })
  return {
    filter,
    view,
    setFilter: (changes: Partial<ProductFilter>) => change({ ...filter, ...changes }, view),
    setView: (changes: Partial<ProductView>) => change(filter, { ...view, ...changes }),
  }
}

function readAddress(params: URLSearchParams): { filter: ProductFilter; view: ProductView } {
  const named = params.get('coverage') ?? (params.get('has_image') === 'true' ? 'with_picture' : '')
  const stock = params.get('in_stock')
  return {
    filter: {
      search: params.get('search') ?? '',
      show: oneOf(named, SHOWN, ''),
      category: params.get('category') ?? '',
      brand: params.get('brand') ?? '',
      group: params.get('group_id') ?? '',
      stock: stock === 'true' ? 'in' : stock === 'false' ? 'out' : '',
      status: oneOf(params.get('status'), ['active', 'inactive'], ''),
      sort: oneOf(params.get('sort'), SORTS, UNSORTED),
    },
    view: {
      layout: params.get('view') === 'grid' ? 'grid' : 'table',
      columns: toColumns(params.get('columns') ?? DEFAULT_COLUMNS.join()),
    },
  }
}

function addressOf(filter: ProductFilter, { layout, columns }: ProductView): URLSearchParams {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...queryOf(filter), search: filter.search || undefined }))
    if (value !== undefined) params.set(name, value)
  if (filter.sort === UNSORTED) params.delete('sort')
  if (layout === 'grid') params.set('view', 'grid')
  if (columns.join() !== DEFAULT_COLUMNS.join()) params.set('columns', columns.join())
  return params
}

/** The filter in the words of `GET /api/products`. */
export const queryOf = ({
  search,
  show,
  category,
  brand,
  group,
  stock,
  status,
  sort,
}: ProductFilter): Record<string, string | undefined> => ({
  search: search.trim() || undefined,
  has_image: show === 'with_picture' ? 'true' : undefined,
  coverage: show === 'with_picture' || show === '' ? undefined : show,
  category: category || undefined,
  brand: brand || undefined,
  group_id: group || undefined,
  in_stock: stock === '' ? undefined : String(stock === 'in'),
  status: status || undefined,
  sort,
})

/** Whether anything narrows the list; the order does not. */
export const isFiltered = (filter: ProductFilter): boolean =>
  JSON.stringify(queryOf({ ...filter, sort: UNSORTED })) !== JSON.stringify(queryOf(NO_FILTER))
