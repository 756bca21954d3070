import { useInfiniteQuery } from '@tanstack/react-query'
import { type CallOptions, call } from './request.ts'

/** What every list of the API answers. */
interface ListAnswer<Row> {
  data: Row[]
  next_cursor: string | null
}

/** A list that is read page after page by its cursor; `rows` holds what was read so far. */
export function useCursorList<Row>(
  key: readonly unknown[],
  path: string,
  { query = {}, refetchInterval = false }: { query?: CallOptions['query']; refetchInterval?: number | false } = {},
) {
  const list = useInfiniteQuery({
    queryKey: [...key, query],
    queryFn: ({ pageParam, signal }) => call<ListAnswer<Row>>(path, { query: { ...query, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval,
  })
  return { ...list, rows: list.data?.pages.flatMap((page) => page.data) }
}
