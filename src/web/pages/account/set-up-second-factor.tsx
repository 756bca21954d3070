import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { AUTH } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { Callout } from '../../components/callout.tsx'
import { CodeLine } from '../../components/code-line.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { useMessages } from '../../i18n/language.tsx'
import classes from './account.module.css'
import { accountMessages } from './messages.ts'
import { QrCode } from './qr-code.tsx'

interface TotpSecret {
  secret: string
  otpauth_url: string
}

/** From the first click to the recovery codes; `onDone` when the person has kept those. */
export function SetUpSecondFactor({ onDone }: { onDone(): void }) {
  const m = useMessages(accountMessages)
  const [code, setCode] = useState('')
  const begin = useMutation({ mutationFn: () => request<{ data: TotpSecret }>(`${AUTH}/totp`, { method: 'POST' }) })
  const confirm = useMutation({
    mutationFn: () => request<{ data: { recovery_codes: string[] } }>(`${AUTH}/totp/confirm`, { method: 'POST', body: { code } }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    confirm.mutate()
  }
  if (confirm.data) return <RecoveryCodes codes={confirm.data.data.recovery_codes} onDone={onDone} />
  if (!begin.data)
    return (
      <div className={classes.stack}>
        {begin.error && <ErrorCard error={begin.error} />}
        <div>
          <Button onClick={() => begin.mutate()} loading={begin.isPending}>
            {m.setUp}
          </Button>
        </div>
      </div>
    )
  const { secret, otpauth_url } = begin.data.data
  return (
    <form className={classes.form} onSubmit={submit}>
      <p>{m.scan}</p>
      <QrCode text={otpauth_url} label={m.qrCode} />
      <CodeLine value={secret} what={m.secret} />
      <TextInput
        label={m.code}
        description={m.codeHint}
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        autoComplete="one-time-code"
        inputMode="numeric"
        maxLength={20}
        required
        withAsterisk={false}
        dir="ltr"
        autoFocus
      />
      {confirm.error && <ErrorCard error={confirm.error} />}
      <div>
        <Button type="submit" loading={confirm.isPending}>
          {m.turnOn}
        </Button>
      </div>
    </form>
  )
}

function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone(): void }) {
  const m = useMessages(accountMessages)
  return (
    <div className={classes.stack}>
      <Callout tone="warn" title={m.recoveryCodes}>
        {m.recoveryOnce}
      </Callout>
      <ul className={classes.codes} aria-label={m.recoveryCodes}>
        {codes.map((code) => (
          <li key={code}>
            <Ltr mono>{code}</Ltr>
          </li>
        ))}
      </ul>
      <div className={classes.row}>
        <CopyButton value={codes.join('\n')} what={m.recoveryCodes} label={m.copyCodes} />
        <Button onClick={onDone}>{m.kept}</Button>
      </div>
    </div>
  )
}
