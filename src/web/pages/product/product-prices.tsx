import type { Price } from '../../../schemas/products.ts'
import { Badge } from '../../components/badge.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { pricesMessages } from './prices-messages.ts'
import classes from './product-prices.module.css'

/** What the active price lists say of a product; nothing where none does. */
export function ProductPrices({ prices }: { prices: Price[] }) {
  const m = useMessages(pricesMessages)
  const format = useFormat()
  if (prices.length === 0) return null
  return (
    <Section title={m.prices}>
      <dl className={classes.prices}>
        {prices.map((list) => (
          <div key={list.price_list_id} className={classes.price}>
            <dt>
              <bdi>{list.name}</bdi> {list.type === 'purchase' && <Badge>{m.purchase}</Badge>}
            </dt>
            <dd>
              {list.price !== null && <Ltr>{format.money(list.price, list.currency)}</Ltr>}
              {list.brackets?.map(({ from, to, price }) => (
                <span key={from} className={classes.quantity}>
                  <span>{to === null ? m.from({ from }) : m.range({ from, to })}</span>
                  <Ltr>{format.money(price, list.currency)}</Ltr>
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}
