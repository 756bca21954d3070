import { useSearchParams } from 'wouter'

export const SOURCES = ['zoho', 'upload', 'import', 'url'] as const
export const SIZES = ['small', 'large'] as const
export const CONDITIONS = ['without_alt', 'damaged', 'duplicates', 'unused'] as const

/** Smaller than the medium variant: it looks soft where that is shown. */
const SMALL_SIDE_PX = 599
/** Ten times what a thumbnail page can afford. */
const LARGE_BYTES = 2_000_000

export interface LibraryFilter {
  source: (typeof SOURCES)[number] | ''
  size: (typeof SIZES)[number] | ''
  condition: (typeof CONDITIONS)[number] | ''
}

const oneOf = <T extends string>(allowed: readonly T[], value: string | null): T | '' => allowed.find((one) => one === value) ?? ''

/** The filter is in the address: `?source=…&size=…&show=…` */
export function useLibraryFilter(): [LibraryFilter, (changes: Partial<LibraryFilter>) => void] {
  const [params, setParams] = useSearchParams()
  const filter: LibraryFilter = {
    source: oneOf(SOURCES, params.get('source')),
    size: oneOf(SIZES, params.get('size')),
    condition: oneOf(CONDITIONS, params.get('show')),
  }
  const change = (changes: Partial<LibraryFilter>) => {
    const next = { ...filter, ...changes }
    const address = { source: next.source, size: next.size, show: next.condition }
    setParams(Object.fromEntries(Object.entries(address).filter(([, value]) => value !== '')), { replace: true })
  }
  return [filter, change]
}

/** The filter in the words of `GET /api/media/images`. */
export const queryOf = ({ source, size, condition }: LibraryFilter): Record<string, string | number | boolean | undefined> => ({
  source: source || undefined,
  max_side: size === 'small' ? SMALL_SIDE_PX : undefined,
  min_bytes: size === 'large' ? LARGE_BYTES : undefined,
  ...(condition !== '' && { [condition]: true }),
})
