import { type ReactNode, useEffect } from 'react'
import classes from './auth-layout.module.css'
import { Logo } from './logo.tsx'
import { LanguageSwitch } from './preferences.tsx'

/**
 * A page of its own for those who have no session: the name, one thing to do, and the choice of the
 * language.
 */
export function AuthLayout({ title, children }: { title: string; children: ReactNode }) {
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
