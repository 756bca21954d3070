import { useQuery } from '@tanstack/react-query'
import FileQuestion from 'lucide-react/icons/file-question-mark'
import type { Product } from '../../../schemas/products.ts'
import { request } from '../../api/request.ts'
import { CopyButton } from '../../components/copy-button.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { productMessages } from './messages.ts'
import { productKey } from './use-gallery.ts'

/** The item as Zoho last sent it, field by field, under Zoho's own names. */
export function ZohoRecord({ product }: { product: Product }) {
  const m = useMessages(productMessages)
  const query = useQuery({
    queryKey: [...productKey(product.id), 'raw'],
    queryFn: ({ signal }) =>
      request<{ data: Product }>(`/api/products/${encodeURIComponent(product.id)}`, { query: { include: 'raw' }, signal }).then(
        ({ data }) => (data.raw ?? null) as Record<string, unknown> | null,
      ),
  })
  const shown = (value: unknown) => {
    if (value === null || value === '') return m.blank
    return typeof value === 'object' ? <Ltr mono>{JSON.stringify(value)}</Ltr> : <bdi>{String(value)}</bdi>
  }
  return (
    <Section
      title={m.zohoRecord}
      description={m.zohoRecordHint}
      actions={query.data && <CopyButton value={JSON.stringify(query.data, null, 2)} what="JSON" />}
    >
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={8} />}>
        {(raw) =>
          raw === null ? (
            <EmptyState icon={FileQuestion} title={m.noZohoRecord} text={m.noZohoRecordText} />
          ) : (
            <DescriptionList items={Object.entries(raw).map(([name, value]) => [name, shown(value)])} />
          )
        }
      </QueryBoundary>
    </Section>
  )
}
