import { BarChart } from '../../components/bar-chart.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { storesMessages } from '../../stores/messages.ts'
import { useStoreHistory } from '../../stores/use-stores.ts'
import classes from './store-page.module.css'

/** What the store received and confirmed, day by day; nothing while nothing has happened. */
export function History({ storeId }: { storeId: string }) {
  const m = useMessages(storesMessages)
  const format = useFormat()
  const history = useStoreHistory(storeId)
  if (history.data?.length === 0) return null
  return (
    <QueryBoundary query={history} skeleton={<BlockSkeleton height={120} />}>
      {(days) => (
        <Section title={m.historyTitle} description={m.historyHint} flush>
          <div className={classes.card}>
            <BarChart
              label={m.arrivalsOfDays}
              series={[
                { key: 'synced', name: m.historySynced, tone: 'good' },
                { key: 'failed', name: m.historyFailed, tone: 'bad' },
              ]}
              bars={[...days]
                .sort((a, b) => (a.day < b.day ? -1 : 1))
                .map(({ day, photos_synced, photos_failed }) => ({
                  name: format.date(`${day}T12:00:00Z`),
                  values: { synced: photos_synced, failed: photos_failed },
                }))}
            />
          </div>
          <Table
            label={m.historyTitle}
            rows={days}
            rowKey={({ day }) => day}
            columns={[
              { key: 'day', header: m.historyDay, cell: ({ day }) => <Ltr>{day}</Ltr> },
              { key: 'served', header: m.historyServed, end: true, cell: ({ bytes_served }) => format.bytes(bytes_served) },
              { key: 'peers', header: m.historyFromPeers, end: true, cell: ({ bytes_from_peers }) => format.bytes(bytes_from_peers) },
              { key: 'synced', header: m.historySynced, end: true, cell: ({ photos_synced }) => format.number(photos_synced) },
              { key: 'failed', header: m.historyFailed, end: true, cell: ({ photos_failed }) => format.number(photos_failed) },
              {
                key: 'lag',
                header: m.historyLag,
                end: true,
                secondary: true,
                cell: ({ lag_seconds_max }) =>
                  lag_seconds_max === null ? '' : m.historyLagOf({ minutes: format.number(Math.ceil(lag_seconds_max / 60)) }),
              },
            ]}
          />
        </Section>
      )}
    </QueryBoundary>
  )
}
