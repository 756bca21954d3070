import { Button } from '@mantine/core'
import { Link } from 'wouter'
import type { StoreStatus } from '../../../schemas/photo-sync.ts'
import { useHasRole } from '../../app/session.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { storesMessages } from '../../stores/messages.ts'
import { useStoreEdit } from '../../stores/use-stores.ts'
import classes from './store-page.module.css'

/** What the store could not fetch or keep, with its own words, and the way to send it again. */
export function FailingImages({ store }: { store: StoreStatus }) {
  const m = useMessages(storesMessages)
  const format = useFormat()
  const mayResend = useHasRole('operator')
  const { resync } = useStoreEdit()
  // By the promise: when the last one is sent this list is gone, and a callback of it would not be
  // heard.
  const send = (photos: string[]) =>
    resync.mutateAsync({ id: store.id, photos }).then(
      (count) => toast(m.resent({ count })),
      () => {}, // stands as a card
    )
  return (
    <Section
      title={m.failing}
      description={m.failingHint}
      flush
      actions={
        mayResend && (
          <Button
            size="xs"
            variant="default"
            loading={resync.isPending && (resync.variables?.photos?.length ?? 0) > 1}
            onClick={() => send(store.failing.map(({ photo_id }) => photo_id))}
          >
            {m.resendAll}
          </Button>
        )
      }
    >
      {resync.error && (
        <div className={classes.card}>
          <ErrorCard error={resync.error} />
        </div>
      )}
      <Table
        label={m.failing}
        rows={store.failing}
        rowKey={({ photo_id }) => photo_id}
        columns={[
          {
            key: 'picture',
            header: m.picture,
            cell: ({ photo_id, product_id, product_name }) =>
              product_id ? (
                <Link href={`/products/${product_id}`}>
                  <bdi>{product_name}</bdi>
                </Link>
              ) : (
                <Ltr mono>{photo_id}</Ltr>
              ),
          },
          {
            key: 'error',
            header: m.error,
            cell: ({ error }) => (
              <span className={classes.error} dir="auto">
                {error}
              </span>
            ),
          },
          { key: 'attempts', header: m.attempts, end: true, cell: ({ attempts }) => format.number(attempts) },
          { key: 'at', header: m.at, secondary: true, cell: ({ at }) => <RelativeTime at={at} /> },
          {
            key: 'do',
            header: '',
            end: true,
            cell: ({ photo_id }) =>
              mayResend && (
                <Button
                  size="compact-sm"
                  variant="default"
                  className={classes.resend}
                  loading={resync.isPending && resync.variables?.photos?.[0] === photo_id}
                  onClick={() => send([photo_id])}
                >
                  {m.resend}
                </Button>
              ),
          },
        ]}
      />
    </Section>
  )
}
