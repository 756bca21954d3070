import { useInfiniteQuery } from '@tanstack/react-query'
import { type RequestOptions, request } from './request.ts'

/** What every list of the API answers. */
interface ListResponse<Row> {
  data: Row[]
  next_cursor: string | null
}

/** A list that is read page after page by its cursor; `rows` holds what was read so far. */
export function useCursorList<Row>(
  key: readonly unknown[],
  path: string,
  { query = {}, refetchInterval = false }: { query?: RequestOptions['query']; refetchInterval?: number | false } = {},
) {
  const list = useInfiniteQuery({
    queryKey: [...key, query],
    queryFn: ({ pageParam, signal }) => request<ListResponse<Row>>(path, { query: { ...query, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval,
  })
  return { ...list, rows: list.data?.pages.flatMap((page) => page.data) }
}
