import { useParams } from 'wouter'
import type { Product } from '../../../schemas/products.ts'
import { useHasRole } from '../../app/session.tsx'
import { BackLink } from '../../components/back-link.tsx'
import { Badge } from '../../components/badge.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Page } from '../../components/page.tsx'
import { PageTabs } from '../../components/page-tabs.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { productNames } from '../../products/product-names.ts'
import { listAddress } from '../products/list-position.ts'
import { Compare } from './compare.tsx'
import { EditProduct } from './edit-product.tsx'
import { Gallery } from './gallery.tsx'
import { productMessages } from './messages.ts'
import { ProductDetails } from './product-details.tsx'
import { ProductHistory } from './product-history.tsx'
import classes from './product-page.module.css'
import { ProductPrices } from './product-prices.tsx'
import { ProductStock } from './product-stock.tsx'
import { ProductSummary } from './product-summary.tsx'
import { useProduct } from './use-gallery.ts'
import { ZohoRecord } from './zoho-record.tsx'

export default function ProductPage() {
  const m = useMessages(productMessages)
  const { language } = useLanguage()
  const mayEdit = useHasRole('operator')
  const { id = '' } = useParams<{ id: string }>()
  const query = useProduct(id)
  return (
    <Page
      title={query.data ? productNames(query.data, language).first : m.title}
      intro={query.data && <Intro product={query.data} />}
      above={<BackLink href={listAddress()}>{m.back}</BackLink>}
      actions={
        query.data && (
          <>
            {query.data.zoho_item_id && <Compare productId={query.data.id} />}
            {mayEdit && <EditProduct product={query.data} />}
          </>
        )
      }
    >
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={420} />}>
        {(product) => (
          <PageTabs
            label={m.title}
            tabs={[
              {
                key: 'images',
                label: m.pictures,
                content: () => (
                  <div className={classes.columns}>
                    <Gallery product={product} />
                    <ProductSummary product={product} />
                  </div>
                ),
              },
              { key: 'details', label: m.facts, content: () => <ProductDetails product={product} /> },
              { key: 'prices', label: m.prices, content: () => <ProductPrices product={product} /> },
              { key: 'stock', label: m.stockTab, content: () => <ProductStock product={product} /> },
              { key: 'history', label: m.history, content: () => <ProductHistory product={product} /> },
              { key: 'zoho', label: m.zoho, content: () => <ZohoRecord product={product} /> },
            ]}
          />
        )}
      </QueryBoundary>
    </Page>
  )
}

function Intro({ product }: { product: Product }) {
  const m = useMessages(productMessages)
  const format = useFormat()
  const { language } = useLanguage()
  const { second } = productNames(product, language)
  return (
    <span className={classes.intro}>
      {second !== null && <bdi>{second}</bdi>}
      {product.sku !== null && <Ltr mono>{product.sku}</Ltr>}
      {product.status === 'inactive' && <Badge>{m.inactive}</Badge>}
      {product.deleted_at !== null && (
        <>
          <Badge tone="bad">{m.deleted}</Badge>
          <span>{m.deletedText({ at: format.relative(product.deleted_at) })}</span>
        </>
      )}
    </span>
  )
}
