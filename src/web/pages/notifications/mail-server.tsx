import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useId } from 'react'
import { PasswordField } from '../../components/password-field.tsx'
import { useMessages } from '../../i18n/language.tsx'
import classes from './mail-server.module.css'
import { notificationMessages } from './messages.ts'

export interface MailServerFields {
  host: string
  port: string
  security: 'smtp' | 'smtps'
  user: string
  password: string
  from: string
}

export const NO_MAIL_SERVER: MailServerFields = { host: '', port: '', security: 'smtp', user: '', password: '', from: '' }
const USUAL_PORT = { smtp: '587', smtps: '465' }

/** The URL that the server keeps encrypted; null without a host. */
export function mailServerUrl({ host, port, security, user, password, from }: MailServerFields): string | null {
  if (host === '') return null
  const login = user === '' ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
  const sender = from === '' ? '' : `?from=${encodeURIComponent(from)}`
  return `${security}://${login}${host}:${port || USUAL_PORT[security]}${sender}`
}

interface MailServerProps {
  /** The stored URL as the API shows it: masked. */
  stored: string | null
  fromEnvironment: boolean
  disabled: boolean
  /** What is being entered; null: nothing. */
  draft: MailServerFields | null
  onChange(draft: MailServerFields | null): void
}

/** The mail server in fields. A stored one is never shown again, so another is entered whole. */
export function MailServer({ stored, fromEnvironment, disabled, draft, onChange }: MailServerProps) {
  const m = useMessages(notificationMessages)
  const id = useId()
  const isSet = stored !== null && draft === null
  const fields = draft ?? NO_MAIL_SERVER
  const change = (patch: Partial<MailServerFields>) => {
    const next = { ...fields, ...patch }
    const isUntouched = stored === null && mailServerUrl(next) === null && next.user + next.password + next.from === ''
    onChange(isUntouched ? null : next)
  }
  const text = (key: 'host' | 'port' | 'user' | 'from', label: string, more: { placeholder?: string; pattern?: string } = {}) => (
    <TextInput
      label={label}
      dir="ltr"
      autoComplete="off"
      spellCheck={false}
      disabled={disabled}
      value={fields[key]}
      onChange={(event) => change({ [key]: event.currentTarget.value.trim() })}
      {...more}
    />
  )
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out across the grid
    <div className={classes.server} role="group" aria-labelledby={id}>
      <p id={id} className={classes.title}>
        {m.smtp}
      </p>
      {isSet || fromEnvironment ? (
        <div className={classes.set}>
          <span>{fromEnvironment ? m.fromEnvironment : m.smtpSet}</span>
          {!fromEnvironment && !disabled && (
            <Button size="compact-sm" variant="default" onClick={() => onChange(NO_MAIL_SERVER)}>
              {m.smtpReplace}
            </Button>
          )}
        </div>
      ) : (
        <>
          <div className={classes.fields}>
            {text('host', m.smtpHost, { placeholder: 'smtp.example.com', pattern: '[A-Za-z0-9.:\\[\\]\\-]+' })}
            <NativeSelect
              label={m.smtpSecurity}
              disabled={disabled}
              value={fields.security}
              onChange={(event) => change({ security: event.currentTarget.value as MailServerFields['security'] })}
              data={[
                { value: 'smtp', label: 'STARTTLS' },
                { value: 'smtps', label: 'TLS' },
              ]}
            />
            {text('port', m.smtpPort, { placeholder: USUAL_PORT[fields.security], pattern: '[0-9]{1,5}' })}
            {text('user', m.smtpUser)}
            <PasswordField
              label={m.smtpPassword}
              dir="ltr"
              autoComplete="new-password"
              disabled={disabled}
              required={fields.user !== ''}
              withAsterisk={false}
              value={fields.password}
              onChange={(event) => change({ password: event.currentTarget.value })}
            />
            {text('from', m.smtpFrom, { placeholder: 'zinc@example.com' })}
          </div>
          {stored !== null && <p className={classes.hint}>{m.smtpRemove}</p>}
        </>
      )}
    </div>
  )
}
