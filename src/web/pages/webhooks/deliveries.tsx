import { Button, NativeSelect } from '@mantine/core'
import Send from 'lucide-react/icons/send'
import { useState } from 'react'
import type { WebhookDelivery } from '../../../schemas/webhooks.ts'
import { Badge } from '../../components/badge.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { webhooksMessages } from './messages.ts'
import { useDeliveries, useWebhookEdit } from './use-webhooks.ts'
import { DeliveryDialog } from './webhook-dialogs.tsx'
import classes from './webhooks-page.module.css'

const TONES = { pending: 'info', delivered: 'good', failed: 'bad' } as const

/** What was sent to one webhook, and what became of it. */
export function Deliveries({ id, url }: { id: string; url: string }) {
  const m = useMessages(webhooksMessages)
  const [state, setState] = useState('')
  const [cursor, setCursor] = useState<string | null>(null)
  const [shown, setShown] = useState<WebhookDelivery | null>(null)
  const query = useDeliveries(id, { state, cursor })
  const { retry } = useWebhookEdit()
  const filter = (
    <NativeSelect
      size="xs"
      aria-label={m.state}
      value={state}
      onChange={(event) => {
        setState(event.currentTarget.value)
        setCursor(null)
      }}
      data={[{ value: '', label: m.all }, ...(['pending', 'delivered', 'failed'] as const).map((value) => ({ value, label: m[value] }))]}
    />
  )
  return (
    <Section
      title={m.deliveries}
      description={
        <>
          <bdi dir="ltr" className={classes.url}>
            {url}
          </bdi>
          {' · '}
          {m.deliveriesHint}
        </>
      }
      flush
      actions={filter}
    >
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={3} />}>
        {({ data, next_cursor }) =>
          data.length === 0 ? (
            <EmptyState icon={Send} title={m.noDeliveries} text={m.noDeliveriesText} />
          ) : (
            <>
              <Table
                label={m.deliveries}
                rows={data}
                rowKey={(delivery) => delivery.id}
                columns={[
                  { key: 'type', header: m.event, cell: ({ type }) => <code dir="ltr">{type}</code> },
                  {
                    key: 'state',
                    header: m.state,
                    cell: ({ state: at, next_attempt_at, attempts }) => (
                      <>
                        <Badge tone={TONES[at]}>{m[at]}</Badge>
                        {next_attempt_at !== null && attempts.length > 0 && (
                          <div className={classes.quiet}>
                            {m.next} <RelativeTime at={next_attempt_at} />
                          </div>
                        )}
                      </>
                    ),
                  },
                  { key: 'at', header: m.at, cell: ({ timestamp }) => <RelativeTime at={timestamp} /> },
                  {
                    key: 'attempts',
                    header: m.attempts,
                    cell: ({ attempts }) => (
                      <>
                        {attempts.length} {attempts.at(-1)?.error && <code dir="ltr">{attempts.at(-1)?.error}</code>}
                      </>
                    ),
                  },
                  {
                    key: 'do',
                    header: '',
                    end: true,
                    cell: (delivery) => (
                      <span className={classes.row}>
                        <Button size="compact-sm" variant="default" onClick={() => setShown(delivery)}>
                          {m.show}
                        </Button>
                        <Button
                          size="compact-sm"
                          variant="default"
                          loading={retry.isPending && retry.variables.deliveryId === delivery.id}
                          onClick={() => retry.mutate({ id, deliveryId: delivery.id }, { onSuccess: () => toast(m.retried) })}
                        >
                          {m.retry}
                        </Button>
                      </span>
                    ),
                  },
                ]}
              />
              {next_cursor !== null && (
                <Button variant="subtle" onClick={() => setCursor(next_cursor)}>
                  {m.more}
                </Button>
              )}
            </>
          )
        }
      </QueryBoundary>
      {shown && <DeliveryDialog delivery={shown} onClose={() => setShown(null)} />}
    </Section>
  )
}
