import { Button } from '@mantine/core'
import KeyRound from 'lucide-react/icons/key-round'
import Plus from 'lucide-react/icons/plus'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import type { EdgeToken } from '../../../schemas/stores.ts'
import { Badge } from '../../components/badge.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { ExactTime, RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { storesMessages } from '../../stores/messages.ts'
import { useEdgeTokens, useStoreEdit } from '../../stores/use-stores.ts'
import { NewToken } from './new-token.tsx'

/**
 * The store's tokens: each shown once when it is made, listed without its secret, revoked when it
 * is not needed any more.
 */
export function Tokens({ storeId }: { storeId: string }) {
  const m = useMessages(storesMessages)
  const [search, setSearch] = useSearchParams()
  // A store that was just made goes on with its first token.
  const [making, setMaking] = useState(search.get('token') === 'new')
  const [revoking, setRevoking] = useState<EdgeToken | null>(null)
  const tokens = useEdgeTokens(storeId)
  const { revoke } = useStoreEdit()
  const close = () => {
    setMaking(false)
    if (search.has('token')) setSearch({}, { replace: true })
  }
  const newToken = (
    <Button size="xs" leftSection={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
      {m.newToken}
    </Button>
  )
  const isOver = (token: EdgeToken) => token.expires_at !== null && new Date(token.expires_at).getTime() < Date.now()
  const state = (token: EdgeToken) =>
    token.revoked_at !== null ? (
      <Badge>{m.revoked}</Badge>
    ) : isOver(token) ? (
      <Badge tone="warn">{m.ended}</Badge>
    ) : (
      <Badge tone="good">{m.active}</Badge>
    )
  return (
    <Section title={m.tokens} description={m.tokensHint} flush actions={newToken}>
      <QueryBoundary query={tokens} skeleton={<RowsSkeleton rows={2} />}>
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState icon={KeyRound} title={m.noTokens} text={m.noTokensText} />
          ) : (
            <Table
              label={m.tokens}
              rows={rows}
              rowKey={({ id }) => id}
              columns={[
                { key: 'name', header: m.tokenName, cell: ({ name }) => <bdi>{name}</bdi> },
                { key: 'state', header: m.state, cell: state },
                {
                  key: 'used',
                  header: m.lastUsed,
                  cell: ({ last_used_at }) => (last_used_at === null ? m.unused : <RelativeTime at={last_used_at} />),
                },
                {
                  key: 'expires',
                  header: m.expires,
                  secondary: true,
                  cell: ({ expires_at }) => (expires_at === null ? m.noEnd : <ExactTime at={expires_at} />),
                },
                {
                  key: 'do',
                  header: '',
                  end: true,
                  cell: (token) =>
                    token.revoked_at === null && (
                      <Button size="compact-sm" variant="default" onClick={() => setRevoking(token)}>
                        {m.revoke}
                      </Button>
                    ),
                },
              ]}
            />
          )
        }
      </QueryBoundary>
      <NewToken storeId={storeId} opened={making} onClose={close} />
      <Confirm
        opened={revoking !== null}
        title={m.revokeTitle}
        action={m.revoke}
        danger
        pending={revoke.isPending}
        error={revoke.error}
        onClose={() => setRevoking(null)}
        onConfirm={() =>
          revoking &&
          revoke.mutate(
            { id: storeId, tokenId: revoking.id },
            {
              onSuccess: () => {
                setRevoking(null)
                toast(m.tokenRevoked)
              },
            },
          )
        }
      >
        <p>{m.revokeText({ name: revoking?.name ?? '' })}</p>
      </Confirm>
    </Section>
  )
}
