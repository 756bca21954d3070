import { useSearchParams } from 'wouter'
import type { CoverageKey } from '../../../schemas/coverage.ts'
import { COVERAGE_KEYS } from '../../products/coverage-labels.ts'

export interface ProductFilter {
  search: string
  /** What a product lacks; `with_picture` those that have one; '' all. */
  show: CoverageKey | 'with_picture' | ''
}

const SHOWN: readonly string[] = [...COVERAGE_KEYS, 'with_picture']

/** The filter stands in the address, so that a link shows the same list: `?search=…&coverage=…` */
export function useProductFilter(): [ProductFilter, (filter: ProductFilter) => void] {
  const [params, setParams] = useSearchParams()
  const named = params.get('coverage') ?? (params.get('has_image') === 'true' ? 'with_picture' : '')
  const filter: ProductFilter = {
    search: params.get('search') ?? '',
    show: SHOWN.includes(named) ? (named as ProductFilter['show']) : '',
  }
  return [filter, ({ search, show }) => setParams(addressOf({ search, show }), { replace: true })]
}

function addressOf({ search, show }: ProductFilter): URLSearchParams {
  const params = new URLSearchParams()
  if (search !== '') params.set('search', search)
  if (show === 'with_picture') params.set('has_image', 'true')
  else if (show !== '') params.set('coverage', show)
  return params
}

/** The filter in the words of `GET /api/products`. */
export const queryOf = ({ search, show }: ProductFilter): Record<string, string | undefined> => ({
  search: search.trim() || undefined,
  has_image: show === 'with_picture' ? 'true' : undefined,
  coverage: show === 'with_picture' || show === '' ? undefined : show,
})
