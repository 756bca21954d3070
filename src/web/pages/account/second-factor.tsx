import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { AUTH } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { sessionKey, useCurrentUser } from '../../app/session.tsx'
import { Badge } from '../../components/badge.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { PasswordField } from '../../components/password-field.tsx'
import { Section } from '../../components/section.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import classes from './account.module.css'
import { accountMessages } from './messages.ts'
import { SetUpSecondFactor } from './set-up-second-factor.tsx'

/** Whether one's own account asks for a code, and how to change that. */
export function SecondFactor() {
  const m = useMessages(accountMessages)
  const { second_factor } = useCurrentUser()
  const client = useQueryClient()
  const [removing, setRemoving] = useState(false)
  const reload = () => client.invalidateQueries({ queryKey: sessionKey })
  return (
    <Section
      title={m.secondFactor}
      description={m.secondFactorText}
      actions={<Badge tone={second_factor ? 'good' : 'plain'}>{second_factor ? m.on : m.off}</Badge>}
    >
      {second_factor ? (
        <div className={classes.row}>
          <span>{m.codesLeft({ left: second_factor.recovery_codes_left })}</span>
          <Button variant="default" size="xs" onClick={() => setRemoving(true)}>
            {m.turnOff}
          </Button>
        </div>
      ) : (
        <SetUpSecondFactor
          onDone={() => {
            toast(m.turnedOn)
            void reload()
          }}
        />
      )}
      {removing && (
        <TurnOff
          onClose={() => setRemoving(false)}
          onDone={() => {
            setRemoving(false)
            toast(m.turnedOff)
            void reload()
          }}
        />
      )}
    </Section>
  )
}

function TurnOff({ onClose, onDone }: { onClose(): void; onDone(): void }) {
  const m = useMessages(accountMessages)
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const remove = useMutation({
    mutationFn: () => request<unknown>(`${AUTH}/totp`, { method: 'DELETE', body: { password, code } }),
    onSuccess: onDone,
  })
  return (
    <Confirm
      opened
      title={m.turnOffTitle}
      action={m.turnOff}
      danger
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <div className={classes.form}>
        <PasswordField
          label={m.currentPassword}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          required
          withAsterisk={false}
          data-autofocus
        />
        <TextInput
          label={m.codeOrRecovery}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
          autoComplete="one-time-code"
          maxLength={50}
          required
          withAsterisk={false}
          dir="ltr"
        />
      </div>
    </Confirm>
  )
}
