import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ErrorCard } from './error-card.tsx'

/**
 * Skeleton, error card or content of one query. Old data stay in sight while a later fetch fails;
 * the card then stands above them.
 */
export function QueryBoundary<T>({
  query,
  skeleton,
  children,
}: {
  query: UseQueryResult<T>
  skeleton: ReactNode
  children(data: T): ReactNode
}) {
  if (query.data === undefined && query.error === null) return skeleton
  return (
    <>
      {query.error !== null && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.data !== undefined && children(query.data)}
    </>
  )
}
