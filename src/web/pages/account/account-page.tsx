import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { z } from 'zod'
import type { UserSessionsResponse } from '../../../schemas/auth.ts'
import { AUTH } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { useCurrentUser } from '../../app/session.tsx'
import { Badge } from '../../components/badge.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Page } from '../../components/page.tsx'
import { PasswordField } from '../../components/password-field.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import classes from './account.module.css'
import { browserName } from './browser-name.ts'
import { accountMessages } from './messages.ts'
import { SecondFactor } from './second-factor.tsx'

type UserSessions = z.infer<typeof UserSessionsResponse>['data']

const sessionsKey = ['own-sessions'] as const
const MIN_PASSWORD = 12

export default function AccountPage() {
  const m = useMessages(accountMessages)
  const { username } = useCurrentUser()
  return (
    <Page title={m.title} intro={m.intro({ name: username })}>
      <SecondFactor />
      <Password />
      <Sessions />
    </Page>
  )
}

function Password() {
  const m = useMessages(accountMessages)
  const client = useQueryClient()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const change = useMutation({
    mutationFn: () => request<unknown>(`${AUTH}/password`, { method: 'POST', body: { current_password: current, new_password: next } }),
    onSuccess: () => {
      setCurrent('')
      setNext('')
      toast(m.passwordChanged)
      void client.invalidateQueries({ queryKey: sessionsKey })
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate()
  }
  return (
    <Section title={m.password}>
      <form className={classes.form} onSubmit={submit}>
        <PasswordField
          label={m.currentPassword}
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
          autoComplete="current-password"
          required
          withAsterisk={false}
        />
        <PasswordField
          label={m.newPassword}
          description={m.passwordHint}
          value={next}
          onChange={(event) => setNext(event.currentTarget.value)}
          autoComplete="new-password"
          minLength={MIN_PASSWORD}
          required
          withAsterisk={false}
        />
        {change.error && <ErrorCard error={change.error} />}
        <div>
          <Button type="submit" variant="default" loading={change.isPending}>
            {m.changePassword}
          </Button>
        </div>
      </form>
    </Section>
  )
}

function Sessions() {
  const m = useMessages(accountMessages)
  const client = useQueryClient()
  const query = useQuery({
    queryKey: sessionsKey,
    queryFn: ({ signal }) => request<{ data: UserSessions }>(`${AUTH}/sessions`, { signal }).then(({ data }) => data),
  })
  const end = useMutation({
    mutationFn: (id: string) => request<unknown>(`${AUTH}/sessions/${id}`, { method: 'DELETE' }),
    onSuccess: () => toast(m.ended),
    onSettled: () => void client.invalidateQueries({ queryKey: sessionsKey }),
  })
  return (
    <Section title={m.sessions} description={m.sessionsText} flush>
      {end.error && <ErrorCard error={end.error} />}
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={2} />}>
        {(sessions) => (
          <Table
            label={m.sessions}
            rows={sessions}
            rowKey={({ id }) => id}
            columns={[
              {
                key: 'agent',
                header: m.browser,
                cell: ({ user_agent, address, current }) => (
                  <span className={classes.agent}>
                    {user_agent ? (
                      <span title={user_agent}>
                        <Ltr>{browserName(user_agent)}</Ltr>
                      </span>
                    ) : address === null ? (
                      m.commandLine
                    ) : (
                      m.unknown
                    )}{' '}
                    {current && <Badge tone="info">{m.thisOne}</Badge>}
                  </span>
                ),
              },
              {
                key: 'address',
                header: m.address,
                cell: ({ address }) =>
                  address && (
                    <span className={classes.address}>
                      <Ltr mono>{address}</Ltr>
                    </span>
                  ),
              },
              { key: 'since', header: m.since, secondary: true, cell: ({ created_at }) => <RelativeTime at={created_at} /> },
              { key: 'used', header: m.lastUsed, cell: ({ last_used_at }) => <RelativeTime at={last_used_at} /> },
              {
                key: 'end',
                header: '',
                end: true,
                cell: ({ id, current }) =>
                  !current && (
                    <Button
                      size="compact-sm"
                      variant="default"
                      loading={end.isPending && end.variables === id}
                      onClick={() => end.mutate(id)}
                    >
                      {m.end}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </QueryBoundary>
    </Section>
  )
}
