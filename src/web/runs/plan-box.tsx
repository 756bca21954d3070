import type { ReactNode } from 'react'
import classes from './plan-box.module.css'

/** What something would take, told before it is done. */
export function PlanBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section className={classes.plan} aria-label={label} aria-live="polite">
      {children}
    </section>
  )
}
