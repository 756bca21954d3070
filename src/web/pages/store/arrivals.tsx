import { useQuery } from '@tanstack/react-query'
import Inbox from 'lucide-react/icons/inbox'
import type { StoreStatus } from '../../../schemas/photo-sync.ts'
import { request } from '../../api/request.ts'
import { BarChart } from '../../components/bar-chart.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { storesMessages } from '../../stores/messages.ts'

/** How many images arrived each day, and how many are still to come. */
export function Arrivals({ store }: { store: StoreStatus }) {
  const m = useMessages(storesMessages)
  const format = useFormat()
  const query = useQuery({
    queryKey: ['stores', 'arrivals', store.id],
    refetchInterval: 30_000,
    queryFn: ({ signal }) =>
      request<{ data: { date: string; photos: number }[] }>(`/api/v1/sync/stores/${store.id}/arrivals`, { signal }).then(
        ({ data }) => data,
      ),
  })
  return (
    <Section title={m.arrivals} description={store.photos_behind > 0 ? m.behind({ count: store.photos_behind }) : m.upToDate}>
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={172} />}>
        {(days) =>
          days.every(({ photos }) => photos === 0) ? (
            <EmptyState icon={Inbox} title={m.noArrivals} />
          ) : (
            <BarChart
              label={m.arrivalsOfDays}
              series={[{ key: 'photos', name: m.photosSynced, tone: 'good' }]}
              bars={days.map(({ date, photos }) => ({ name: format.date(`${date}T12:00:00Z`), values: { photos } }))}
            />
          )
        }
      </QueryBoundary>
    </Section>
  )
}
