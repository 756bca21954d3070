import ArrowLeft from 'lucide-react/icons/arrow-left'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import classes from './back-link.module.css'

/** Leads to the list that a detail page belongs to. */
export function BackLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Link href={href} className={classes.back}>
      <ArrowLeft size={14} aria-hidden className={classes.arrow} />
      {children}
    </Link>
  )
}
