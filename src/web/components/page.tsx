import { type ReactNode, useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import classes from './page.module.css'

interface PageProps {
  title: string
  intro?: ReactNode
  /** Buttons at the end of the head. */
  actions?: ReactNode
  /** Over the title: the way back. */
  above?: ReactNode
  children: ReactNode
}

/**
 * One page: names the document, takes the focus when it was navigated to, and lays out head and
 * body.
 */
export function Page({ title, intro, actions, above, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  const [path] = useLocation()
  useEffect(() => {
    document.title = `${title} · zinc`
  }, [title])
  useEffect(() => {
    // Not on the first load: there the skip link must be the first stop of the tab key.
    if (isNavigation(path)) heading.current?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [path])
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <div className={classes.titles}>
          {above}
          <h1 ref={heading} tabIndex={-1} className={classes.title}>
            {title}
          </h1>
          {intro && <p className={classes.intro}>{intro}</p>}
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  )
}

let shownPath: string | null = null

/**
 * Whether another page was shown before. A page that mounts again while it loads is not another
 * one.
 */
function isNavigation(path: string): boolean {
  const before = shownPath
  shownPath = path
  return before !== null && before !== path
}
