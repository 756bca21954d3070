import { type ReactNode, useEffect } from 'react'
import { LanguageSwitch } from './display.tsx'
import classes from './entrance.module.css'
import { Logo } from './logo.tsx'

/** A page of its own for those who have no session: the name, one thing to do, and the choice of the language. */
export function Entrance({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · zinc`
  }, [title])
  return (
    <div className={classes.screen}>
      <main className={classes.box}>
        <Logo />
        <h1 className={classes.title}>{title}</h1>
        {children}
      </main>
      <footer className={classes.footer}>
        <LanguageSwitch />
      </footer>
    </div>
  )
}
