import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useMessages } from '../i18n/language.tsx'
import { ErrorCard } from './error-card.tsx'
import classes from './list-view.module.css'
import { commonMessages } from './messages.ts'
import { RowsSkeleton } from './skeleton.tsx'

interface ListViewProps<Row> {
  /** What useCursorList answers. */
  list: {
    rows: Row[] | undefined
    error: unknown
    hasNextPage: boolean
    isFetchingNextPage: boolean
    fetchNextPage(): unknown
    refetch(): unknown
  }
  empty: ReactNode
  skeletonRows?: number
  children(rows: Row[]): ReactNode
}

/** A cursor list: skeleton, error, nothing there, or the rows with a button for more. */
export function ListView<Row>({ list, empty, skeletonRows = 8, children }: ListViewProps<Row>) {
  const m = useMessages(commonMessages)
  const error = list.error ? (
    <div className={classes.error}>
      <ErrorCard error={list.error} onRetry={() => void list.refetch()} />
    </div>
  ) : null
  if (!list.rows) return error ?? <RowsSkeleton rows={skeletonRows} />
  return (
    <>
      {error}
      {list.rows.length === 0 ? empty : children(list.rows)}
      {list.hasNextPage && (
        <div className={classes.more}>
          <Button variant="default" size="xs" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {m.loadMore}
          </Button>
        </div>
      )}
    </>
  )
}
