import Tag from 'lucide-react/icons/tag'
import type { Product } from '../../../schemas/products.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { Statistic, Statistics } from '../../components/statistic.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { productMessages } from './messages.ts'
import { pricesMessages } from './prices-messages.ts'

/** The product's own prices, and its price in each price list. */
export function ProductPrices({ product }: { product: Product }) {
  const m = useMessages(productMessages)
  const quantities = useMessages(pricesMessages)
  const format = useFormat()
  const money = (amount: string | null, currency = product.currency) =>
    amount === null ? m.noPrice : <Ltr>{format.money(amount, currency)}</Ltr>
  return (
    <>
      <Section title={m.prices}>
        <Statistics>
          <Statistic label={m.sellingPrice} value={money(product.selling_price)} />
          <Statistic label={m.costPrice} value={money(product.cost_price)} />
        </Statistics>
      </Section>
      <Section title={m.priceLists} flush>
        {product.prices.length === 0 ? (
          <EmptyState icon={Tag} title={m.noPriceLists} text={m.noPriceListsText} />
        ) : (
          <Table
            label={m.priceLists}
            rows={product.prices}
            rowKey={({ price_list_id }) => price_list_id}
            columns={[
              { key: 'name', header: m.priceList, cell: ({ name }) => <bdi>{name}</bdi> },
              { key: 'type', header: m.type, cell: ({ type }) => (type === 'sales' ? m.sales : m.purchases) },
              {
                key: 'price',
                header: m.price,
                end: true,
                cell: ({ price, currency, brackets }) =>
                  price !== null
                    ? money(price, currency)
                    : brackets?.map(({ from, to, price: each }) => (
                        <div key={from}>
                          {to === null ? quantities.from({ from }) : quantities.range({ from, to })} {money(each, currency)}
                        </div>
                      )),
              },
            ]}
          />
        )}
      </Section>
    </>
  )
}
