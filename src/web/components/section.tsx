import { type ReactNode, useId } from 'react'
import classes from './section.module.css'

interface SectionProps {
  title: string
  description?: ReactNode
  /** Buttons at the end of the head. */
  actions?: ReactNode
  /** The content reaches the card's edges: tables and lists. */
  flush?: boolean
  children: ReactNode
}

/** A card with a heading. */
export function Section({ title, description, actions, flush = false, children }: SectionProps) {
  const id = useId()
  return (
    <section className={classes.card} aria-labelledby={id}>
      <header className={classes.head}>
        <div className={classes.words}>
          <h2 id={id} className={classes.title}>
            {title}
          </h2>
          {description && <p className={classes.description}>{description}</p>}
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </header>
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </section>
  )
}
