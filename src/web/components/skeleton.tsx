import { Skeleton } from '@mantine/core'
import { useMessages } from '../i18n/language.tsx'
import { commonMessages } from './messages.ts'
import classes from './skeleton.module.css'

/**
 * Lines where rows will stand; `height` is that of one row, so that nothing moves when they come.
 */
export function RowsSkeleton({ rows, height = 44 }: { rows: number; height?: number }) {
  const m = useMessages(commonMessages)
  return (
    <div role="status" aria-label={m.loading}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike
        <div key={row} className={classes.row} style={{ height }}>
          <Skeleton height={12} width={`${30 + ((row * 17) % 40)}%`} />
          <Skeleton height={12} width={80} />
        </div>
      ))}
    </div>
  )
}

/** A block of known height. */
export function BlockSkeleton({ height }: { height: number }) {
  const m = useMessages(commonMessages)
  return (
    <div role="status" aria-label={m.loading}>
      <Skeleton height={height} radius="lg" />
    </div>
  )
}
