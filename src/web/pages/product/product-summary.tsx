import { Link } from 'wouter'
import type { Product } from '../../../schemas/products.ts'
import { CopyButton } from '../../components/copy-button.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { productMessages } from './messages.ts'
import classes from './product-page.module.css'

/** What people look up most often, beside the images. */
export function ProductSummary({ product }: { product: Product }) {
  const m = useMessages(productMessages)
  const format = useFormat()
  /** Leads to the other products that have the same. */
  const listed = (text: string | null, parameter: string, value: string | null) =>
    text !== null &&
    value !== null && (
      <Link href={`/products?${new URLSearchParams({ [parameter]: value })}`}>
        <bdi>{text}</bdi>
      </Link>
    )
  const { category, group } = product
  const price = product.selling_price === null ? m.noPrice : <Ltr>{format.money(product.selling_price, product.currency)}</Ltr>
  const barcode = product.ean ?? product.upc ?? product.isbn
  return (
    <Section title={m.summary}>
      <DescriptionList
        items={[
          [m.sellingPrice, price],
          [m.stock, product.stock_on_hand && <Ltr>{format.money(product.stock_on_hand, null)}</Ltr>],
          [m.status, product.status === 'active' ? m.active : m.inactiveShort],
          [m.category, category && listed(category.name, 'category', category.name)],
          [m.brand, product.brand && listed(product.brand, 'brand', product.brand)],
          [m.group, group && listed(group.name ?? group.id, 'group_id', group.id)],
          [
            m.barcode,
            barcode && (
              <span className={classes.id}>
                <Ltr mono>{barcode}</Ltr> <CopyButton value={barcode} what={m.barcode} />
              </span>
            ),
          ],
          [m.changed, <RelativeTime key="changed" at={product.updated_at} />],
        ]}
      />
    </Section>
  )
}
