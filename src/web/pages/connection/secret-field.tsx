import { Button } from '@mantine/core'
import { useId, useState } from 'react'
import { PasswordField } from '../../components/password-field.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { connectionMessages } from './messages.ts'
import classes from './secret-field.module.css'

interface SecretFieldProps {
  label: string
  hint?: string | undefined
  fixed: boolean
  /** `••••` and the last four, as the API shows it; null: not set. */
  masked: string | null
  changedAt: string | undefined
  /** What will be saved: undefined leaves it, null removes it. */
  draft: string | null | undefined
  onChange(value: string | null | undefined): void
}

const MASK = '••••'

/**
 * A secret that is written and never read: it says that it is set and how it ends, and can be
 * replaced or removed.
 */
export function SecretField({ label, hint, fixed, masked, changedAt, draft, onChange }: SecretFieldProps) {
  const m = useMessages(connectionMessages)
  const format = useFormat()
  const id = useId()
  const [replacing, setReplacing] = useState(false)
  const keep = () => {
    setReplacing(false)
    onChange(undefined)
  }
  const typing = masked === null || replacing
  if (typing && !fixed && draft !== null)
    return (
      <div className={classes.field}>
        <PasswordField
          label={label}
          description={hint}
          dir="ltr"
          autoComplete="new-password"
          spellCheck={false}
          placeholder={masked === null ? m.secretNone : undefined}
          value={draft ?? ''}
          onChange={(event) => onChange(event.currentTarget.value.trim() || undefined)}
          autoFocus={replacing}
        />
        {masked !== null && (
          <Button variant="subtle" size="compact-sm" color="gray" className={classes.keep} onClick={keep}>
            {m.keep}
          </Button>
        )}
      </div>
    )
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as its neighbours are
    <div className={classes.field} role="group" aria-labelledby={id}>
      <span id={id} className={classes.label}>
        {label}
      </span>
      {hint && <span className={classes.hint}>{hint}</span>}
      <div className={classes.set}>
        <span className={classes.value}>
          {draft === null ? (
            m.willBeRemoved
          ) : masked === null ? (
            m.secretNone
          ) : (
            <>
              {m.secretSet({ end: masked.replace(MASK, '') })}
              {changedAt && <span className={classes.since}> {m.secretSince({ date: format.date(changedAt) })}</span>}
            </>
          )}
        </span>
        {!fixed &&
          (draft === null ? (
            <Button variant="default" size="compact-sm" onClick={keep}>
              {m.keep}
            </Button>
          ) : (
            <>
              <Button variant="default" size="compact-sm" onClick={() => setReplacing(true)} aria-label={`${m.replace}: ${label}`}>
                {m.replace}
              </Button>
              <Button
                variant="subtle"
                size="compact-sm"
                className="danger"
                onClick={() => onChange(null)}
                aria-label={`${m.remove}: ${label}`}
              >
                {m.remove}
              </Button>
            </>
          ))}
      </div>
    </div>
  )
}
