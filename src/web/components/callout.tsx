import CircleCheck from 'lucide-react/icons/circle-check'
import Info from 'lucide-react/icons/info'
import TriangleAlert from 'lucide-react/icons/triangle-alert'
import type { ReactNode } from 'react'
import classes from './callout.module.css'

const ICONS = { good: CircleCheck, info: Info, warn: TriangleAlert, bad: TriangleAlert }

/** Something to know at this place; errors of requests are ErrorCards. */
export function Callout({ tone, title, children }: { tone: 'good' | 'info' | 'warn' | 'bad'; title: ReactNode; children?: ReactNode }) {
  const Icon = ICONS[tone]
  return (
    <div className={classes.notice} data-tone={tone} role={tone === 'good' || tone === 'info' ? 'status' : 'alert'}>
      <Icon size={17} aria-hidden className={classes.icon} />
      <div>
        <p className={classes.title}>{title}</p>
        {children && <div className={classes.text}>{children}</div>}
      </div>
    </div>
  )
}
