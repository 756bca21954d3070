import MapPin from 'lucide-react/icons/map-pin'
import type { Product } from '../../../schemas/products.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { Statistic, Statistics } from '../../components/statistic.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { productMessages } from './messages.ts'

/** The total stock, and what is at each location. */
export function ProductStock({ product }: { product: Product }) {
  const m = useMessages(productMessages)
  const format = useFormat()
  const { stock } = product
  const amount = (value: string | null) => (value === null ? '–' : <Ltr>{format.money(value, null)}</Ltr>)
  const figures = [
    [m.stock, stock.on_hand],
    [m.available, stock.available],
    [m.actualAvailable, stock.actual_available],
    [m.committed, stock.committed],
    [m.reorderLevel, product.reorder_level],
  ] as const
  return (
    <>
      <Section title={m.stockTab} description={stock.on_hand === null ? m.untracked : undefined}>
        <Statistics>
          {figures.map(([label, value]) => (
            <Statistic key={label} label={label} value={amount(value)} />
          ))}
        </Statistics>
      </Section>
      <Section title={m.locations} flush>
        {stock.by_location.length === 0 ? (
          <EmptyState icon={MapPin} title={m.noLocations} text={m.noLocationsText} />
        ) : (
          <Table
            label={m.locations}
            rows={stock.by_location}
            rowKey={({ location_id }) => location_id}
            columns={[
              { key: 'name', header: m.location, cell: ({ name }) => <bdi>{name}</bdi> },
              { key: 'on_hand', header: m.stock, end: true, cell: ({ on_hand }) => amount(on_hand) },
              { key: 'available', header: m.available, end: true, cell: ({ available }) => amount(available) },
              { key: 'committed', header: m.committed, end: true, secondary: true, cell: ({ committed }) => amount(committed) },
              { key: 'as_of', header: m.stockRead, end: true, secondary: true, cell: ({ as_of }) => <RelativeTime at={as_of} /> },
            ]}
          />
        )}
      </Section>
    </>
  )
}
