import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { type ApiError, toApiError } from '../api/api-error.ts'
import { AUTH } from '../api/endpoints.ts'
import { errorMessage } from '../api/error-messages.ts'
import { request } from '../api/request.ts'
import { ErrorCard } from '../components/error-card.tsx'
import { PasswordField } from '../components/password-field.tsx'
import { useLanguage, useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'
import { AuthLayout } from './auth-layout.tsx'
import classes from './login.module.css'
import { clearCache, sessionKey } from './session.tsx'

const messages = defineMessages(
  {
    title: 'Log in to zinc',
    username: 'Username',
    password: 'Password',
    login: 'Log in',
    code: 'Code from the authenticator app',
    recoveryCode: 'Recovery code',
    useRecoveryCode: 'Use a recovery code',
    useCode: 'Use a code from the app',
    secondStep: 'Enter your two-factor authentication code.',
    back: 'Log in as another user',
    hint: 'First time here? zinc printed a username and password in its terminal at the first start.',
  },
  {
    title: 'تسجيل الدخول إلى zinc',
    username: 'اسم المستخدم',
    password: 'كلمة المرور',
    login: 'تسجيل الدخول',
    code: 'رمز تطبيق المصادقة',
    recoveryCode: 'رمز استرداد',
    useRecoveryCode: 'استخدم رمز استرداد بدلًا منه',
    useCode: 'استخدم رمز التطبيق بدلًا منه',
    secondStep: 'أدخل رمز المصادقة الثنائية.',
    back: 'الدخول بمستخدم آخر',
    hint: 'أول مرة هنا؟ طبع zinc اسم مستخدم وكلمة مرور في الطرفية عند تشغيله الأول.',
  },
)

/**
 * Stands in for every page while nobody is logged in; the address stays, so that a shared link
 * leads where it should.
 */
export function Login() {
  const m = useMessages(messages)
  const client = useQueryClient()
  const [challenge, setChallenge] = useState<string | null>(null)
  const login = useMutation({
    // The session is an HttpOnly cookie; the answer's own tokens, if any, are dropped here unread.
    mutationFn: (body: object) => request<unknown>(`${AUTH}/login`, { method: 'POST', body: { ...body, cookie: true } }),
    onSuccess: () => {
      clearCache(client)
      return client.invalidateQueries({ queryKey: sessionKey })
    },
    onError: (error) => {
      const { code, detail } = toApiError(error)
      if (code === 'second_factor_required' && typeof detail.challenge === 'string') setChallenge(detail.challenge)
      if (code === 'challenge_invalid') setChallenge(null)
    },
  })
  const error = login.error !== null && <LoginError error={toApiError(login.error)} />
  return (
    <AuthLayout title={m.title}>
      {challenge === null ? (
        <Credentials pending={login.isPending} error={error} onSubmit={login.mutate} />
      ) : (
        <SecondStep
          pending={login.isPending}
          error={error}
          onSubmit={(proof) => login.mutate({ challenge, ...proof })}
          onBack={() => {
            setChallenge(null)
            login.reset()
          }}
        />
      )}
    </AuthLayout>
  )
}

/** What a person can mend by typing again is one line; anything else a card for support. */
const MISTYPED = new Set(['invalid_credentials', 'invalid_code', 'challenge_invalid'])

function LoginError({ error }: { error: ApiError }) {
  const { language } = useLanguage()
  if (error.code === 'second_factor_required') return null
  if (!MISTYPED.has(error.code)) return <ErrorCard error={error} />
  return (
    <p role="alert" className={classes.error}>
      {errorMessage(error, language).what}
    </p>
  )
}

interface StepProps {
  pending: boolean
  error: ReactNode
  onSubmit(body: object): void
}

function Credentials({ pending, error, onSubmit }: StepProps) {
  const m = useMessages(messages)
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSubmit({ username, password })
  }
  return (
    <>
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
        {error}
        <Button type="submit" fullWidth loading={pending}>
          {m.login}
        </Button>
      </form>
      <p className={classes.hint}>{m.hint}</p>
    </>
  )
}

function SecondStep({ pending, error, onSubmit, onBack }: StepProps & { onBack(): void }) {
  const m = useMessages(messages)
  const [isRecovery, setRecovery] = useState(false)
  const [code, setCode] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSubmit(isRecovery ? { recovery_code: code } : { code })
  }
  return (
    <form className={classes.form} onSubmit={submit}>
      <p className={classes.hint}>{m.secondStep}</p>
      <TextInput
        key={String(isRecovery)}
        label={isRecovery ? m.recoveryCode : m.code}
        name="code"
        autoComplete={isRecovery ? 'off' : 'one-time-code'}
        inputMode={isRecovery ? 'text' : 'numeric'}
        maxLength={50}
        required
        withAsterisk={false}
        autoFocus
        dir="ltr"
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      {error}
      <Button type="submit" fullWidth loading={pending}>
        {m.login}
      </Button>
      <Button
        variant="subtle"
        size="xs"
        onClick={() => {
          setRecovery(!isRecovery)
          setCode('')
        }}
      >
        {isRecovery ? m.useCode : m.useRecoveryCode}
      </Button>
      <Button variant="subtle" size="xs" onClick={onBack}>
        {m.back}
      </Button>
    </form>
  )
}
