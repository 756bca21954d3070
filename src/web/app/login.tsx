import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { AUTH } from '../api/endpoints.ts'
import { request } from '../api/request.ts'
import { ErrorCard } from '../components/error-card.tsx'
import { PasswordField } from '../components/password-field.tsx'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'
import { AuthLayout } from './auth-layout.tsx'
import classes from './login.module.css'
import { clearCache, sessionKey } from './session.tsx'

const messages = defineMessages(
  {
    title: 'Log in to zinc',
    username: 'User name',
    password: 'Password',
    login: 'Log in',
    hint: 'The first start of zinc printed a user name and a password in its terminal.',
  },
  {
    title: 'تسجيل الدخول إلى zinc',
    username: 'اسم المستخدم',
    password: 'كلمة المرور',
    login: 'تسجيل الدخول',
    hint: 'طبع zinc عند تشغيله الأول اسم مستخدم وكلمة مرور في الطرفية.',
  },
)

/** Stands in for every page while nobody is logged in; the address stays, so that a shared link leads where it should. */
export function Login() {
  const m = useMessages(messages)
  const client = useQueryClient()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const login = useMutation({
    // The session is an HttpOnly cookie; the answer's own tokens, if any, are dropped here unread.
    mutationFn: () => request<unknown>(`${AUTH}/login`, { method: 'POST', body: { username, password, cookie: true } }),
    onSuccess: () => {
      clearCache(client)
      return client.invalidateQueries({ queryKey: sessionKey })
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    login.mutate()
  }
  return (
    <AuthLayout title={m.title}>
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label={m.username}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          withAsterisk={false}
          autoFocus
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordField
          label={m.password}
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {login.error && <ErrorCard error={login.error} />}
        <Button type="submit" fullWidth loading={login.isPending}>
          {m.login}
        </Button>
      </form>
      <p className={classes.hint}>{m.hint}</p>
    </AuthLayout>
  )
}
