import { Button } from '@mantine/core'
import Archive from 'lucide-react/icons/archive'
import type { BackupRow } from '../../../schemas/backups.ts'
import { useHasRole } from '../../app/session.tsx'
import { Badge, type Tone } from '../../components/badge.tsx'
import { Callout } from '../../components/callout.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Page } from '../../components/page.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { BackupSchedule } from './backup-schedule.tsx'
import classes from './backups-page.module.css'
import { backupsMessages } from './messages.ts'
import { useBackupEdit, useBackups } from './use-backups.ts'

const TONES: Record<BackupRow['state'], Tone> = { queued: 'info', running: 'info', success: 'good', partial: 'warn', failed: 'bad' }

export default function BackupsPage() {
  const m = useMessages(backupsMessages)
  const query = useBackups()
  const mayStart = useHasRole('admin') && query.data !== undefined && query.data.target !== null
  const { start, rehearse } = useBackupEdit()
  const error = start.error ?? rehearse.error
  const onSuccess = () => toast(m.queued)
  return (
    <Page
      title={m.title}
      intro={m.intro}
      actions={
        mayStart && (
          <div className={classes.buttons}>
            <Button variant="default" loading={rehearse.isPending} onClick={() => rehearse.mutate(undefined, { onSuccess })}>
              {m.rehearse}
            </Button>
            <Button
              leftSection={<Archive size={15} aria-hidden />}
              loading={start.isPending}
              onClick={() => start.mutate(undefined, { onSuccess })}
            >
              {m.now}
            </Button>
          </div>
        )
      }
    >
      {error && <ErrorCard error={error} />}
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={360} />}>
        {(backups) => (
          <>
            {backups.too_old && (
              <Callout tone="bad" title={m.tooOld}>
                {m.tooOldText}
              </Callout>
            )}
            <BackupSchedule backups={backups} />
            <Rows rows={backups.backups} />
          </>
        )}
      </QueryBoundary>
    </Page>
  )
}

function Rows({ rows }: { rows: BackupRow[] }) {
  const m = useMessages(backupsMessages)
  const states: Record<BackupRow['state'], string> = {
    queued: m.queuedState,
    running: m.running,
    success: m.success,
    partial: m.partial,
    failed: m.failed,
  }
  if (rows.length === 0)
    return (
      <Section title={m.rows} flush>
        <EmptyState icon={Archive} title={m.none} text={m.noneText} />
      </Section>
    )
  return (
    <Section title={m.rows} flush>
      <Table
        label={m.rows}
        rows={rows}
        rowKey={({ id }) => id}
        columns={[
          {
            key: 'kind',
            header: m.kind,
            cell: ({ kind, backup_id, target }) => (
              <>
                {kind === 'backup' ? m.backup : m.rehearsalRow}
                <div className={classes.quiet}>
                  <bdi dir="ltr" className={classes.target}>
                    {backup_id ?? target}
                  </bdi>
                </div>
              </>
            ),
          },
          {
            key: 'state',
            header: m.state,
            cell: ({ state, code, message, params, pruned_at }) => (
              <>
                <Badge tone={TONES[state]} pulsing={state === 'running'}>
                  {states[state]}
                </Badge>{' '}
                {pruned_at !== null && <span className={classes.quiet}>{m.pruned}</span>}
                {message !== null && (
                  <div className={classes.quiet}>
                    <ServerText code={code} params={params} part="what">
                      {message}
                    </ServerText>
                  </div>
                )}
              </>
            ),
          },
          { key: 'size', header: m.size, cell: (row) => <Content row={row} /> },
          { key: 'by', header: m.by, secondary: true, cell: ({ started_by }) => <bdi>{started_by}</bdi> },
          { key: 'at', header: m.at, end: true, cell: ({ created_at }) => <RelativeTime at={created_at} /> },
        ]}
      />
    </Section>
  )
}

function Content({ row: { kind, state, counts } }: { row: BackupRow }) {
  const m = useMessages(backupsMessages)
  const format = useFormat()
  const { files, bytes, added_bytes, rows } = counts
  if (state === 'running' && counts.total !== undefined && counts.done !== undefined)
    return (
      <>
        {m.progressOf({ done: format.number(counts.done), total: format.number(counts.total) })}
        <ProgressBar label={m.progress} share={counts.total === 0 ? 1 : counts.done / counts.total} tone="accent" />
      </>
    )
  if (kind === 'rehearsal') return rows === undefined ? null : m.restored({ rows: format.number(rows) })
  if (files === undefined || bytes === undefined) return null
  return (
    <>
      {m.sizes({ files: format.number(files), bytes: format.bytes(bytes) })}
      {/* In the first backup everything is new, which need not be said. */}
      {added_bytes !== undefined && added_bytes < bytes && (
        <div className={classes.quiet}>{m.added({ bytes: format.bytes(added_bytes) })}</div>
      )}
    </>
  )
}
