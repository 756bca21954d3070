import { CloseButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { Notice } from '../components/callout.tsx'
import { ErrorCard } from '../components/error-card.tsx'
import { ServerText } from '../components/server-text.tsx'
import { useMessages } from '../i18n/language.tsx'
import type { ManyResult } from './bulk-images.ts'
import { manyMessages } from './bulk-messages.ts'
import classes from './selection-frame.module.css'

interface ChosenFrameProps {
  /** How many are chosen, in words; null: none. */
  count: string | null
  /** What is done with them: their failures are told here. */
  actions: { error: Error | null; data: ManyResult | undefined }[]
  note?: string | undefined
  onClear(): void
  children: ReactNode
}

/** What can be done with all that is chosen, at the foot of a list for as long as something is. */
export function ChosenFrame({ count, actions, note, onClear, children }: ChosenFrameProps) {
  const m = useMessages(manyMessages)
  const failure = actions.find(({ error }) => error)?.error
  const refused = actions.flatMap(({ data }) => data?.failed ?? [])
  // It stays, empty, so that an undo that fails has a place to say so.
  if (count === null && !failure && refused.length === 0) return null
  return (
    <section className={classes.bar} aria-label={m.title}>
      {failure && <ErrorCard error={failure} />}
      {refused.length > 0 && (
        <Notice tone="warn" title={m.someFailed({ count: refused.length })}>
          {refused[0] && (
            <ServerText code={refused[0].code} part="what">
              {refused[0].message ?? ''}
            </ServerText>
          )}
        </Notice>
      )}
      {count !== null && (
        <div className={classes.row}>
          <p className={classes.count} role="status">
            <CloseButton size="sm" aria-label={m.clear} onClick={onClear} />
            <strong>{count}</strong>
            {note && <span className={classes.limit}>{note}</span>}
          </p>
          <div className={classes.actions}>{children}</div>
        </div>
      )}
    </section>
  )
}
