import { Button } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import History from 'lucide-react/icons/history'
import { Link } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import { HOME } from '../../app/paths.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { RunTable } from '../../runs/run-table.tsx'
import { overviewMessages } from './messages.ts'

export function RecentRuns({ query }: { query: UseQueryResult<Run[]> }) {
  const m = useMessages(overviewMessages)
  return (
    <Section
      title={m.recent}
      flush
      actions={
        <Button size="compact-sm" variant="default" component={Link} href={`${HOME}/runs`}>
          {m.allRuns}
        </Button>
      }
    >
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={6} />}>
        {(runs) => (runs.length === 0 ? <EmptyState icon={History} title={m.noRuns} text={m.noRunsText} /> : <RunTable runs={runs} />)}
      </QueryBoundary>
    </Section>
  )
}
