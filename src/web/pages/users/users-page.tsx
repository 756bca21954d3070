import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import UserPlus from 'lucide-react/icons/user-plus'
import { useState } from 'react'
import type { User } from '../../../schemas/auth.ts'
import { request } from '../../api/request.ts'
import { useRoleName } from '../../app/account-menu.tsx'
import { useCurrentUser, useHasRole } from '../../app/session.tsx'
import { Badge } from '../../components/badge.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { Page } from '../../components/page.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { usersMessages } from './messages.ts'
import { USERS, usersKey } from './queries.ts'
import { UserDialog } from './user-dialog.tsx'
import classes from './users-page.module.css'

export default function UsersPage() {
  const m = useMessages(usersMessages)
  const roleName = useRoleName()
  const me = useCurrentUser()
  const mayChange = useHasRole('admin')
  const client = useQueryClient()
  const [editing, setEditing] = useState<User | 'new' | null>(null)
  const [removing, setRemoving] = useState<User | null>(null)
  const query = useQuery({
    queryKey: usersKey,
    queryFn: ({ signal }) => request<{ data: User[] }>(USERS, { signal }).then(({ data }) => data),
  })
  const remove = useMutation({
    mutationFn: (user: User) => request<unknown>(`${USERS}/${user.id}`, { method: 'DELETE' }),
    onSuccess: (_answer, user) => {
      void client.invalidateQueries({ queryKey: usersKey })
      setRemoving(null)
      toast(m.removed({ name: user.username }))
    },
  })
  return (
    <Page
      title={m.title}
      intro={m.intro}
      actions={
        mayChange && (
          <Button leftSection={<UserPlus size={15} aria-hidden />} onClick={() => setEditing('new')}>
            {m.add}
          </Button>
        )
      }
    >
      <Section title={m.title} flush>
        <QueryBoundary query={query} skeleton={<RowsSkeleton rows={3} />}>
          {(users) => (
            <Table
              label={m.title}
              rows={users}
              rowKey={({ id }) => id}
              columns={[
                {
                  key: 'name',
                  header: m.username,
                  cell: (user) => (
                    <>
                      <bdi className={classes.name}>{user.username}</bdi> {user.id === me.user_id && <Badge tone="info">{m.you}</Badge>}
                    </>
                  ),
                },
                { key: 'role', header: m.role, cell: ({ role }) => roleName(role) },
                {
                  key: 'login',
                  header: m.lastLogin,
                  cell: ({ last_login_at }) => (last_login_at === null ? m.never : <RelativeTime at={last_login_at} />),
                },
                { key: 'second-factor', header: m.secondFactor, cell: ({ second_factor }) => (second_factor ? m.setUp : m.notSetUp) },
                { key: 'created', header: m.created, secondary: true, cell: ({ created_at }) => <RelativeTime at={created_at} /> },
                {
                  key: 'actions',
                  header: '',
                  end: true,
                  cell: (user) => (
                    <span className={classes.buttons}>
                      <Button
                        size="compact-sm"
                        variant="default"
                        onClick={() => setEditing(user)}
                        aria-label={`${m.edit}: ${user.username}`}
                      >
                        {m.edit}
                      </Button>
                      {/* Nobody removes themselves, and the last admin stays. */}
                      <Button
                        size="compact-sm"
                        variant="subtle"
                        className="danger"
                        disabled={
                          user.id === me.user_id || (user.role === 'admin' && users.filter(({ role }) => role === 'admin').length === 1)
                        }
                        onClick={() => setRemoving(user)}
                        aria-label={`${m.remove}: ${user.username}`}
                      >
                        {m.remove}
                      </Button>
                    </span>
                  ),
                },
              ]}
            />
          )}
        </QueryBoundary>
      </Section>
      {editing && <UserDialog user={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
      <Confirm
        opened={removing !== null}
        title={m.removeTitle({ name: removing?.username ?? '' })}
        action={m.remove}
        danger
        pending={remove.isPending}
        error={remove.error}
        onConfirm={() => removing && remove.mutate(removing)}
        onClose={() => {
          setRemoving(null)
          remove.reset()
        }}
      >
        <p>{m.removeText}</p>
      </Confirm>
    </Page>
  )
}
