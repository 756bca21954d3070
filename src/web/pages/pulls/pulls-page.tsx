import { Button } from '@mantine/core'
import DatabaseBackup from 'lucide-react/icons/database-backup'
import GitCompare from 'lucide-react/icons/git-compare'
import Pin from 'lucide-react/icons/pin'
import Plus from 'lucide-react/icons/plus'
import { useState } from 'react'
import { Link } from 'wouter'
import { useZohoSettings } from '../../api/zoho.ts'
import { HOME } from '../../app/paths.ts'
import { useHasRole } from '../../app/session.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Page } from '../../components/page.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { pullsMessages } from '../../pulls/messages.ts'
import { SessionBadge, sessionMoment } from '../../pulls/pull-labels.tsx'
import { usePullSessions } from '../../pulls/use-pulls.ts'
import { useRunLabels } from '../../runs/run-labels.ts'
import classes from './pulls-page.module.css'
import { StartPull } from './start-pull.tsx'

export default function PullsPage() {
  const m = useMessages(pullsMessages)
  const words = useRunLabels()
  const format = useFormat()
  const [starting, setStarting] = useState(false)
  const query = usePullSessions()
  const start = useHasRole('operator') && (
    <Button leftSection={<Plus size={15} aria-hidden />} onClick={() => setStarting(true)}>
      {m.start}
    </Button>
  )
  return (
    <Page
      title={m.title}
      intro={m.intro}
      actions={
        <>
          {(query.data?.length ?? 0) > 1 && (
            <Button component={Link} href="/pulls/compare" variant="default" leftSection={<GitCompare size={15} aria-hidden />}>
              {m.compare}
            </Button>
          )}
          {start}
        </>
      }
    >
      <Section title={m.sessions} description={<NextPull />} flush>
        <QueryBoundary query={query} skeleton={<RowsSkeleton rows={5} />}>
          {(sessions) =>
            sessions.length === 0 ? (
              <EmptyState icon={DatabaseBackup} title={m.emptyTitle} text={m.emptyText} action={start} />
            ) : (
              <Table
                label={m.sessions}
                rows={sessions}
                rowKey={({ session }) => session}
                columns={[
                  {
                    key: 'session',
                    header: m.session,
                    cell: ({ session, started_at, pinned }) => (
                      <Link href={`/pulls/${session}`} className={classes.link}>
                        {format.dateTimeSeconds(sessionMoment(session) ?? started_at)}
                        {pinned && <Pin size={13} aria-label={m.pinned} className={classes.pin} />}
                      </Link>
                    ),
                  },
                  { key: 'state', header: m.state, cell: ({ badge }) => <SessionBadge badge={badge} /> },
                  { key: 'modules', header: m.modules, cell: ({ modules }) => m.selection({ count: modules.length }) },
                  { key: 'records', header: m.records, end: true, cell: ({ records }) => format.number(records) },
                  { key: 'size', header: m.size, end: true, cell: ({ size }) => format.bytes(size) },
                  {
                    key: 'by',
                    header: m.startedBy,
                    secondary: true,
                    cell: ({ started_by }) => started_by && <bdi>{words.starter(started_by)}</bdi>,
                  },
                ]}
              />
            )
          }
        </QueryBoundary>
      </Section>
      <StartPull opened={starting} onClose={() => setStarting(false)} />
    </Page>
  )
}

/** When Books are pulled by the clock, with the way to change it. */
function NextPull() {
  const m = useMessages(pullsMessages)
  const { data } = useZohoSettings()
  const books = data?.modules.find(({ slug }) => slug === 'books')
  if (!books) return m.nextPull
  return (
    <>
      {m.nextPull}: <Link href={`${HOME}/modules`}>{books.next_run === null ? m.notScheduled : <RelativeTime at={books.next_run} />}</Link>
    </>
  )
}
