import type { Product } from '../../../schemas/products.ts'
import { CopyButton } from '../../components/copy-button.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { ExactTime, RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { productMessages } from './messages.ts'
import classes from './product-page.module.css'

/** What the record says. A blank price is called blank: it is not 0. */
export function ProductDetails({ product }: { product: Product }) {
  const m = useMessages(productMessages)
  const format = useFormat()
  const price = (amount: string | null) => (amount === null ? m.noPrice : <Ltr>{format.money(amount, product.currency)}</Ltr>)
  const text = (value: string | null) => value && <bdi>{value}</bdi>
  const copied = (value: string | null, what: string) =>
    value && (
      <span className={classes.id}>
        <Ltr mono>{value}</Ltr> <CopyButton value={value} what={what} />
      </span>
    )
  const custom = Object.entries(product.custom_fields)
  return (
    <div className={classes.side}>
      <Section title={m.facts}>
        <DescriptionList
          items={[
            [m.sku, copied(product.sku, m.sku)],
            [m.nameEn, text(product.name_en)],
            [m.nameAr, text(product.name_ar)],
            [m.nameZoho, product.name !== product.name_en && product.name !== product.name_ar ? text(product.name) : null],
            [m.sellingPrice, price(product.selling_price)],
            [m.costPrice, price(product.cost_price)],
            [m.stock, product.stock_on_hand && <Ltr>{format.money(product.stock_on_hand, null)}</Ltr>],
            [m.category, text(product.category)],
            [m.brand, text(product.brand)],
            [m.unit, text(product.unit)],
            [m.status, product.status === 'active' ? m.active : m.inactiveShort],
            [m.description, product.description && <bdi className={classes.long}>{product.description}</bdi>],
            [m.zohoId, copied(product.zoho_item_id, m.zohoId)],
            [m.created, <ExactTime key="created" at={product.created_at} />],
            [m.changed, <RelativeTime key="changed" at={product.updated_at} />],
          ]}
        />
      </Section>
      {custom.length > 0 && (
        <Section title={m.custom}>
          <DescriptionList
            items={custom.map(([name, value]) => [name, <bdi key={name}>{typeof value === 'string' ? value : JSON.stringify(value)}</bdi>])}
          />
        </Section>
      )}
    </div>
  )
}
