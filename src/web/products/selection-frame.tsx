import { CloseButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { Callout } from '../components/callout.tsx'
import { ErrorCard } from '../components/error-card.tsx'
import { ServerText } from '../components/server-text.tsx'
import { useMessages } from '../i18n/language.tsx'
import type { BulkResult } from './bulk-images.ts'
import { bulkMessages } from './bulk-messages.ts'
import classes from './selection-frame.module.css'

interface ChosenFrameProps {
  /** How many are chosen, in words; null: none. */
  count: string | null
  /** What is done with them: their failures are told here. */
  actions: { error: Error | null; data: BulkResult | undefined }[]
  note?: string | undefined
  onClear(): void
  children: ReactNode
}

/** What can be done with all that is chosen, at the foot of a list for as long as something is. */
export function SelectionFrame({ count, actions, note, onClear, children }: ChosenFrameProps) {
  const m = useMessages(bulkMessages)
  const failure = actions.find(({ error }) => error)?.error
  const refused = actions.flatMap(({ data }) => data?.failed ?? [])
  // It stays, empty, so that an undo that fails has a place to say so.
  if (count === null && !failure && refused.length === 0) return null
  return (
    <section className={classes.bar} aria-label={m.title}>
      {failure && <ErrorCard error={failure} />}
      {refused.length > 0 && (
        <Callout tone="warn" title={m.someFailed({ count: refused.length })}>
          {refused[0] && (
            <ServerText code={refused[0].code} params={refused[0].params} part="what">
              {refused[0].message ?? ''}
            </ServerText>
          )}
        </Callout>
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
