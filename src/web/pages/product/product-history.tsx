import { useQuery } from '@tanstack/react-query'
import History from 'lucide-react/icons/history'
import { Link } from 'wouter'
import type { ProductHistory as Entries, Product } from '../../../schemas/products.ts'
import { request } from '../../api/request.ts'
import { HOME } from '../../app/paths.ts'
import { Badge } from '../../components/badge.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { RecordChanges } from '../../runs/record-changes.tsx'
import { useRunLabels } from '../../runs/run-labels.ts'
import { productMessages } from './messages.ts'
import { productKey } from './use-gallery.ts'

/** What each run changed of this product, newest first. */
export function ProductHistory({ product }: { product: Product }) {
  const m = useMessages(productMessages)
  const format = useFormat()
  const words = useRunLabels()
  const query = useQuery({
    queryKey: [...productKey(product.id), 'history'],
    queryFn: ({ signal }) =>
      request<{ data: Entries }>(`/api/products/${encodeURIComponent(product.id)}/history`, { signal }).then(({ data }) => data),
  })
  const tones = { new: 'good', updated: 'info', removed: 'bad', restored: 'good' } as const
  return (
    <Section title={m.history} description={m.historyHint} flush>
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={3} />}>
        {(entries) =>
          entries.length === 0 ? (
            <EmptyState icon={History} title={m.noHistory} text={m.noHistoryText} />
          ) : (
            <Table
              label={m.history}
              rows={entries}
              rowKey={({ run_id }) => run_id}
              columns={[
                {
                  key: 'at',
                  header: m.when,
                  cell: ({ at, run_id }) => (
                    <Link href={`${HOME}/runs/${run_id}`}>
                      <time dateTime={at}>{format.dateTime(at)}</time>
                    </Link>
                  ),
                },
                {
                  key: 'outcome',
                  header: m.outcome,
                  cell: ({ outcome }) => <Badge tone={tones[outcome]}>{m[`outcome_${outcome}`]}</Badge>,
                },
                { key: 'fields', header: m.fields, cell: ({ changes }) => <RecordChanges changes={changes} /> },
                { key: 'by', header: m.startedBy, secondary: true, cell: ({ started_by }) => started_by && words.starter(started_by) },
              ]}
            />
          )
        }
      </QueryBoundary>
    </Section>
  )
}
