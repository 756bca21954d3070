import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import KeyRound from 'lucide-react/icons/key-round'
import Plus from 'lucide-react/icons/plus'
import { useState } from 'react'
import type { ApiKey } from '../../../schemas/api-keys.ts'
import { request } from '../../api/request.ts'
import { Badge } from '../../components/badge.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Page } from '../../components/page.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { ExactTime, RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import classes from './api-keys-page.module.css'
import { apiKeysMessages } from './messages.ts'
import { NewApiKey } from './new-api-key.tsx'
import { API_KEYS, apiKeysKey } from './queries.ts'
import { RotateApiKey } from './rotate-api-key.tsx'

export default function ApiKeysPage() {
  const m = useMessages(apiKeysMessages)
  const client = useQueryClient()
  const [making, setMaking] = useState(false)
  const [rotating, setRotating] = useState<ApiKey | null>(null)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const query = useQuery({
    queryKey: apiKeysKey,
    queryFn: ({ signal }) => request<{ data: ApiKey[] }>(API_KEYS, { signal }).then(({ data }) => data),
  })
  const revoke = useMutation({
    mutationFn: (key: ApiKey) => request<unknown>(`${API_KEYS}/${key.id}`, { method: 'DELETE' }),
    onSuccess: (_response, key) => {
      void client.invalidateQueries({ queryKey: apiKeysKey })
      setRevoking(null)
      toast(m.revoked({ name: key.name }))
    },
  })
  const isPast = (at: string) => new Date(at).getTime() < Date.now()
  return (
    <Page
      title={m.title}
      intro={m.intro}
      actions={
        <Button leftSection={<Plus size={15} aria-hidden />} onClick={() => setMaking(true)}>
          {m.add}
        </Button>
      }
    >
      <Section title={m.title} flush>
        <QueryBoundary query={query} skeleton={<RowsSkeleton rows={3} />}>
          {(keys) =>
            keys.length === 0 ? (
              <EmptyState icon={KeyRound} title={m.none} text={m.noneText} />
            ) : (
              <Table
                label={m.title}
                rows={keys}
                rowKey={({ id }) => id}
                columns={[
                  {
                    key: 'name',
                    header: m.name,
                    cell: ({ name, prefix }) => (
                      <>
                        <bdi>{name}</bdi> <code dir="ltr">{prefix}…</code>
                      </>
                    ),
                  },
                  {
                    key: 'scopes',
                    header: m.scopes,
                    cell: ({ scopes }) => (
                      <span className={classes.list} dir="ltr">
                        {scopes.join(', ')}
                      </span>
                    ),
                  },
                  {
                    key: 'used',
                    header: m.lastUsed,
                    cell: ({ last_used_at }) => (last_used_at === null ? m.unused : <RelativeTime at={last_used_at} />),
                  },
                  {
                    key: 'expires',
                    header: m.expires,
                    cell: ({ expires_at, previous_until }) => (
                      <>
                        {expires_at === null ? (
                          m.noEnd
                        ) : isPast(expires_at) ? (
                          <Badge tone="warn">{m.ended}</Badge>
                        ) : (
                          <ExactTime at={expires_at} />
                        )}
                        {previous_until !== null && !isPast(previous_until) && (
                          <div className={classes.list}>
                            {m.oldUntil} <ExactTime at={previous_until} />
                          </div>
                        )}
                      </>
                    ),
                  },
                  { key: 'maker', header: m.madeBy, secondary: true, cell: ({ made_by }) => <bdi>{made_by}</bdi> },
                  {
                    key: 'actions',
                    header: '',
                    end: true,
                    cell: (key) => (
                      <span className={classes.row}>
                        <Button
                          size="compact-sm"
                          variant="default"
                          onClick={() => setRotating(key)}
                          aria-label={`${m.rotate}: ${key.name}`}
                        >
                          {m.rotate}
                        </Button>
                        <Button
                          size="compact-sm"
                          variant="subtle"
                          className="danger"
                          onClick={() => setRevoking(key)}
                          aria-label={`${m.revoke}: ${key.name}`}
                        >
                          {m.revoke}
                        </Button>
                      </span>
                    ),
                  },
                ]}
              />
            )
          }
        </QueryBoundary>
      </Section>
      {making && <NewApiKey onClose={() => setMaking(false)} />}
      {rotating && <RotateApiKey apiKey={rotating} onClose={() => setRotating(null)} />}
      <Confirm
        opened={revoking !== null}
        title={m.revokeTitle({ name: revoking?.name ?? '' })}
        action={m.revoke}
        danger
        pending={revoke.isPending}
        error={revoke.error}
        onConfirm={() => revoking && revoke.mutate(revoking)}
        onClose={() => {
          setRevoking(null)
          revoke.reset()
        }}
      >
        <p>{m.revokeText}</p>
      </Confirm>
    </Page>
  )
}
