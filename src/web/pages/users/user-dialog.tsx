import { Button, Radio, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ROLES } from '../../../facts/roles.ts'
import type { User, UserBody, UserPatch } from '../../../schemas/auth.ts'
import { request } from '../../api/request.ts'
import { useRoleName } from '../../app/account-menu.tsx'
import { sessionKey } from '../../app/session.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { PasswordField } from '../../components/password-field.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { usersMessages } from './messages.ts'
import { USERS, usersKey } from './queries.ts'
import classes from './user-dialog.module.css'

const MIN_PASSWORD = 12

/** Adds a user, or changes one; of a known user only what differs is sent. */
export function UserDialog({ user, onClose }: { user: User | null; onClose(): void }) {
  const m = useMessages(usersMessages)
  const common = useMessages(commonMessages)
  const roleName = useRoleName()
  const client = useQueryClient()
  const [username, setUsername] = useState(user?.username ?? '')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<User['role']>(user?.role ?? 'operator')
  const save = useMutation({
    mutationFn: () => {
      if (user === null)
        return request<unknown>(USERS, { method: 'POST', body: { username: username.trim(), password, role } satisfies UserBody })
      const patch: UserPatch = {
        ...(username.trim() !== user.username && { username: username.trim() }),
        ...(password !== '' && { password }),
        ...(role !== user.role && { role }),
      }
      return request<unknown>(`${USERS}/${user.id}`, { method: 'PATCH', body: patch })
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: usersKey })
      // It may have been one's own account.
      void client.invalidateQueries({ queryKey: sessionKey })
      toast(user === null ? m.added({ name: username.trim() }) : m.changed({ name: username.trim() }))
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate()
  }
  return (
    <Dialog opened onClose={onClose} title={user === null ? m.addTitle : m.editTitle({ name: user.username })}>
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label={m.username}
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
          autoComplete="off"
          maxLength={100}
          required
          withAsterisk={false}
          data-autofocus
        />
        <PasswordField
          label={user === null ? m.password : m.newPassword}
          description={user === null ? m.passwordHint : m.newPasswordHint}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="new-password"
          minLength={MIN_PASSWORD}
          required={user === null}
          withAsterisk={false}
        />
        <Radio.Group label={m.role} value={role} onChange={(value) => setRole(value as User['role'])}>
          <div className={classes.roles}>
            {ROLES.map((it) => (
              <Radio key={it} value={it} label={roleName(it)} description={m[`${it}Hint`]} />
            ))}
          </div>
        </Radio.Group>
        {save.error && <ErrorCard error={save.error} />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            {common.cancel}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {user === null ? m.add : m.save}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
