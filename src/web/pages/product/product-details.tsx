import type { ReactNode } from 'react'
import type { Product } from '../../../schemas/products.ts'
import { CopyButton } from '../../components/copy-button.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { ExactTime, RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { GroupProducts } from './group-products.tsx'
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
  const number = (value: string | null) => value && <Ltr>{format.money(value, null)}</Ltr>
  const types: Record<string, string> = {
    inventory: m.type_inventory,
    sales: m.type_sales,
    purchases: m.type_purchases,
    sales_and_purchases: m.type_sales_and_purchases,
    goods: m.type_goods,
    service: m.type_service,
    digital_service: m.type_digital_service,
  }
  const itemType = [product.item_type, product.product_type].flatMap((type) => (type ? (types[type] ?? type) : [])).join(' · ')
  const { dimensions, weight, tax, group } = product
  const measures = dimensions && [dimensions.length, dimensions.width, dimensions.height].map((side) => side ?? '–').join(' × ')
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
            [m.stock, number(product.stock_on_hand)],
            [m.available, number(product.stock.available)],
            [m.reorderLevel, number(product.reorder_level)],
            [m.unit, text(product.unit)],
            [m.category, text(product.category?.name ?? null)],
            [m.brand, text(product.brand)],
            [m.manufacturer, text(product.manufacturer)],
            [m.group, text(group && (group.name ?? group.id))],
            ...product.attributes.map(({ name, option }): [string, ReactNode] => [name, text(option)]),
            [m.ean, copied(product.ean, m.ean)],
            [m.upc, copied(product.upc, m.upc)],
            [m.isbn, copied(product.isbn, m.isbn)],
            [m.partNumber, copied(product.part_number, m.partNumber)],
            [m.tax, tax && <bdi key="tax">{[tax.name, tax.percentage && `${tax.percentage}%`].filter(Boolean).join(' ')}</bdi>],
            [m.measures, measures && <Ltr>{[measures, dimensions?.unit].filter(Boolean).join(' ')}</Ltr>],
            [m.weight, weight && <Ltr>{[weight.value, weight.unit].filter(Boolean).join(' ')}</Ltr>],
            [m.itemType, text(itemType || null)],
            [m.combo, product.is_combo ? m.yes : null],
            [m.origin, product.origin === 'zoho' ? null : product.origin === 'file' ? m.originFile : m.originErp],
            [m.status, product.status === 'active' ? m.active : m.inactiveShort],
            [m.description, product.description && <bdi className={classes.long}>{product.description}</bdi>],
            [m.zohoId, copied(product.zoho_item_id, m.zohoId)],
            [m.created, <ExactTime key="created" at={product.created_at} />],
            [m.changed, <RelativeTime key="changed" at={product.updated_at} />],
          ]}
        />
      </Section>
      {group && <GroupProducts group={group} productId={product.id} />}
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
