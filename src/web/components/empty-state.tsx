import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { useMessages } from '../i18n/language.tsx'
import classes from './empty-state.module.css'
import { commonMessages } from './messages.ts'

interface EmptyStateProps {
  icon: LucideIcon
  title: string
  text?: ReactNode
  action?: ReactNode
  /** Filters or dates are set: there may be rows that they leave out. */
  filtered?: boolean
}

/** What stands where a list has nothing: why, and what to do about it. */
export function EmptyState({ icon: Icon, filtered = false, ...unfiltered }: EmptyStateProps) {
  const m = useMessages(commonMessages)
  const { title, text, action } = filtered ? { title: m.noMatchTitle, text: m.noMatchText, action: null } : unfiltered
  return (
    <div className={classes.empty}>
      <span className={classes.icon}>
        <Icon size={20} aria-hidden />
      </span>
      <p className={classes.title}>{title}</p>
      {text && <p className={classes.text}>{text}</p>}
      {action && <div className={classes.action}>{action}</div>}
    </div>
  )
}
