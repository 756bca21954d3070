import type { ReactNode } from 'react'
import { Link } from 'wouter'
import classes from './statistic.module.css'

/** A figure with its name; with `href` the whole tile leads there. */
export function Statistic({
  label,
  value,
  note,
  href,
  tone,
}: {
  label: string
  value: ReactNode
  note?: ReactNode
  href?: string
  tone?: 'bad' | 'warn' | 'good'
}) {
  const content = (
    <>
      <span className={classes.label}>{label}</span>
      <span className={classes.value} data-tone={tone}>
        {value}
      </span>
      {note && <span className={classes.note}>{note}</span>}
    </>
  )
  return href ? (
    <Link href={href} className={`${classes.tile} ${classes.link}`}>
      {content}
    </Link>
  ) : (
    <div className={classes.tile}>{content}</div>
  )
}

/** Tiles side by side, as many as there is room for. */
export const Statistics = ({ children }: { children: ReactNode }) => <div className={classes.grid}>{children}</div>
