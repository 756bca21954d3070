import type { Product } from '../../../schemas/products.ts'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { productMessages } from './messages.ts'

/** Where the product's stock is kept; nothing for one without locations. */
export function StockByLocation({ stock }: Pick<Product, 'stock'>) {
  const m = useMessages(productMessages)
  const format = useFormat()
  const [first] = stock.by_location
  if (first === undefined) return null
  const number = (value: string | null) => (value === null ? '–' : <Ltr>{format.money(value, null)}</Ltr>)
  return (
    <Section
      title={m.stockByLocation}
      description={
        <>
          {m.stockRead} <RelativeTime at={first.as_of} />
        </>
      }
      flush
    >
      <Table
        label={m.stockByLocation}
        rows={stock.by_location}
        rowKey={(row) => row.location_id}
        columns={[
          { key: 'name', header: m.location, cell: (row) => <bdi>{row.name}</bdi> },
          { key: 'on_hand', header: m.onHand, end: true, cell: (row) => number(row.on_hand) },
          { key: 'available', header: m.available, end: true, cell: (row) => number(row.available) },
          { key: 'committed', header: m.committed, end: true, cell: (row) => number(row.committed) },
        ]}
      />
    </Section>
  )
}
