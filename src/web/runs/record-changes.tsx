import { Ltr } from '../components/ltr.tsx'
import { useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import { runsMessages } from '../pages/runs/messages.ts'
import classes from './record-changes.module.css'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/

/** The fields that a run changed, each before and after. */
export function RecordChanges({ changes }: { changes: Record<string, [unknown, unknown]> }) {
  const m = useMessages(runsMessages)
  const format = useFormat()
  const shown = (value: unknown): string => {
    if (value === null || value === undefined || value === '') return m.empty
    if (typeof value === 'object') return JSON.stringify(value)
    return TIME.test(String(value)) ? format.dateTime(String(value)) : String(value)
  }
  const entries = Object.entries(changes)
  if (entries.length === 0) return null
  return (
    <ul className={classes.changes}>
      {entries.map(([field, [before, after]]) => (
        <li key={field} className={classes.change}>
          <Ltr mono>{field}</Ltr>
          <span>
            <del>
              <bdi>{shown(before)}</bdi>
            </del>{' '}
            <ins>
              <bdi>{shown(after)}</bdi>
            </ins>
          </span>
        </li>
      ))}
    </ul>
  )
}
