import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import type { Product, ProductsResponse } from '../../../schemas/products.ts'
import { request } from '../../api/request.ts'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { productNames } from '../../products/product-names.ts'
import classes from './group-products.module.css'
import { pricesMessages } from './prices-messages.ts'

/** The other products of an item group, each by what distinguishes it. */
export function GroupProducts({ group, productId }: { group: NonNullable<Product['group']>; productId: string }) {
  const m = useMessages(pricesMessages)
  const { language } = useLanguage()
  const query = useQuery({
    queryKey: ['products', 'group', group.id],
    queryFn: ({ signal }) => request<ProductsResponse>('/api/products', { query: { group_id: group.id, limit: 100 }, signal }),
  })
  return (
    <Section title={m.group({ group: group.name ?? group.id })}>
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={80} />}>
        {({ data }) => {
          const others = data.filter(({ id }) => id !== productId)
          if (others.length === 0) return <p>{m.alone}</p>
          return (
            <ul className={classes.variants}>
              {others.map((product) => (
                <li key={product.id}>
                  <Link href={`/products/${product.id}`}>
                    <bdi>{product.attributes.map(({ option }) => option).join(' · ') || productNames(product, language).first}</bdi>
                  </Link>
                </li>
              ))}
            </ul>
          )
        }}
      </QueryBoundary>
    </Section>
  )
}
