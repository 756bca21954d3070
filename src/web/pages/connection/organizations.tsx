import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import Building2 from 'lucide-react/icons/building-2'
import type { z } from 'zod'
import type { Organization, OrganizationsResponse } from '../../../schemas/connection.ts'
import type { ZohoSettings } from '../../../schemas/zoho-settings.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { Badge } from '../../components/badge.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { connectionMessages } from './messages.ts'

/**
 * The organizations of the account, to choose the one that zinc works on. Asked for only when a
 * sign-in can work.
 */
export function Organizations({ settings, mayChange }: { settings: ZohoSettings; mayChange: boolean }) {
  const m = useMessages(connectionMessages)
  const client = useQueryClient()
  const canSignIn = settings.refresh_token !== null
  const query = useQuery({
    queryKey: ['zoho', 'organizations'],
    enabled: canSignIn,
    // Each look costs a call of the day's quota.
    staleTime: 300_000,
    queryFn: ({ signal }) => request<z.infer<typeof OrganizationsResponse>>(`${ZOHO}/organizations`, { signal }).then(({ data }) => data),
  })
  const choose = useMutation({
    mutationFn: (id: string) => request<{ data: Organization }>(`${ZOHO}/organization`, { method: 'PUT', body: { id } }),
    onSuccess: ({ data }) => {
      void client.invalidateQueries({ queryKey: ['zoho'] })
      toast(m.organizationSaved({ name: data.name ?? data.id }))
    },
  })
  const fixed = settings.sources.organization_id === 'environment' || settings.sources.organization_id === 'gcp'
  return (
    <Section title={m.organizations} description={fixed ? m.fixedByEnvironment : m.organizationsHint} flush>
      {choose.error && <ErrorCard error={choose.error} />}
      {!canSignIn ? (
        <EmptyState icon={Building2} title={m.organizationsNone} text={m.organizationsNoneText} />
      ) : (
        <QueryBoundary query={query} skeleton={<RowsSkeleton rows={2} />}>
          {(organizations) => (
            <Table
              label={m.organizations}
              rows={organizations}
              rowKey={({ id }) => id}
              columns={[
                { key: 'name', header: m.organization, cell: ({ name, id }) => <bdi>{name ?? id}</bdi> },
                { key: 'id', header: m.organizationId, cell: ({ id }) => <Ltr mono>{id}</Ltr> },
                { key: 'currency', header: m.currency, cell: ({ currency }) => currency && <Ltr>{currency}</Ltr> },
                { key: 'zone', header: m.zone, cell: ({ time_zone }) => time_zone && <Ltr>{time_zone}</Ltr> },
                {
                  key: 'choice',
                  header: '',
                  end: true,
                  cell: ({ id, selected }) =>
                    selected ? (
                      <Badge tone="good">{m.selection}</Badge>
                    ) : (
                      mayChange &&
                      !fixed && (
                        <Button
                          size="compact-sm"
                          variant="default"
                          loading={choose.isPending && choose.variables === id}
                          onClick={() => choose.mutate(id)}
                        >
                          {m.choose}
                        </Button>
                      )
                    ),
                },
              ]}
            />
          )}
        </QueryBoundary>
      )}
    </Section>
  )
}
