import type { ReactNode } from 'react'
import classes from './badge.module.css'

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'plain'

/** A state in a word. The dot and the word say it; the colour only helps. */
export function Badge({ tone = 'plain', pulsing = false, children }: { tone?: Tone; pulsing?: boolean; children: ReactNode }) {
  return (
    <span className={classes.badge} data-tone={tone}>
      <span className={classes.dot} data-pulsing={pulsing || undefined} aria-hidden />
      {children}
    </span>
  )
}
