import { Button, Menu } from '@mantine/core'
import ChevronDown from 'lucide-react/icons/chevron-down'
import Download from 'lucide-react/icons/download'
import FileQuestion from 'lucide-react/icons/file-question'
import Pin from 'lucide-react/icons/pin'
import PinOff from 'lucide-react/icons/pin-off'
import ShieldCheck from 'lucide-react/icons/shield-check'
import Trash2 from 'lucide-react/icons/trash-2'
import Wrench from 'lucide-react/icons/wrench'
import { useState } from 'react'
import { useLocation, useParams, useSearchParams } from 'wouter'
import type { ManifestFile } from '../../../schemas/pulls.ts'
import { BackLink } from '../../components/back-link.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Page } from '../../components/page.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { ExactTime, RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { pullsMessages } from '../../pulls/messages.ts'
import { SessionBadge, sessionMoment } from '../../pulls/pull-labels.tsx'
import { PULLS, type PullSessionDetail, usePullEdit, usePullSession, useVerifyReport } from '../../pulls/use-pulls.ts'
import { useRunLabels } from '../../runs/run-labels.ts'
import { RunStrip } from '../../runs/run-strip.tsx'
import classes from './pull-page.module.css'
import { FileTable, ModuleTable } from './pull-tables.tsx'
import { Report } from './report.tsx'

export default function PullPage() {
  const m = useMessages(pullsMessages)
  const words = useRunLabels()
  const format = useFormat()
  const { session = '' } = useParams<{ session: string }>()
  const query = usePullSession(session)
  const report = useVerifyReport(session)
  // In the address, so that a reload goes on showing the check that was started here.
  const [search, setSearch] = useSearchParams()
  const edit = usePullEdit()
  const follow = (runId: string) => setSearch({ run: runId }, { replace: true })
  const moment = sessionMoment(session)
  const running = query.data?.badge === 'running' || query.data?.badge === 'paused' ? query.data.run_id : search.get('run')
  const failed = [edit.verify, edit.repair, edit.pin].find(({ error }) => error)
  return (
    <Page
      title={moment ? format.dateTime(moment) : m.session}
      intro={
        query.data && (
          <span className={classes.intro}>
            <SessionBadge badge={query.data.badge} />
            <Ltr mono>{session}</Ltr>
          </span>
        )
      }
      above={<BackLink href="/pulls">{m.back}</BackLink>}
      actions={
        query.data && (
          <Actions
            session={query.data}
            edit={edit}
            onVerify={(quick) => edit.verify.mutate({ session, quick }, { onSuccess: follow })}
            onRepaired={follow}
          />
        )
      }
    >
      {failed && <ErrorCard error={failed.error} />}
      {running && <RunStrip key={running} id={running} />}
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={260} />}>
        {(data) => (
          <>
            <Section title={m.report} description={report.data && <Checked report={report.data} />}>
              <QueryBoundary query={report} skeleton={<BlockSkeleton height={80} />}>
                {(found) =>
                  found ? <Report report={found} /> : <EmptyState icon={FileQuestion} title={m.noReport} text={m.noReportText} />
                }
              </QueryBoundary>
            </Section>
            <Section title={m.modules} flush>
              <ModuleTable modules={data.modules} />
            </Section>
            {data.files.length > 0 && (
              <Section title={m.files} description={<Folder files={data.files} />} flush>
                <FileTable files={data.files} />
              </Section>
            )}
            <Section title={m.session}>
              <DescriptionList
                items={[
                  [m.app, data.app === 'books' ? 'Zoho Books' : 'Zoho Invoice'],
                  [m.startedBy, data.started_by && <bdi>{words.starter(data.started_by)}</bdi>],
                  [m.started, <ExactTime key="started" at={data.started_at} />],
                  [m.finished, data.finished_at && <ExactTime at={data.finished_at} />],
                  [m.size, format.bytes(data.size)],
                  [m.calls, format.number(data.api_calls)],
                  [m.verifiedAt, data.verified_at && <RelativeTime at={data.verified_at} />],
                ]}
              />
            </Section>
          </>
        )}
      </QueryBoundary>
    </Page>
  )
}

/** Where in the session's folder the files are; nothing when they are not all in one place. */
function Folder({ files }: { files: ManifestFile[] }) {
  const folders = new Set(files.map(({ file }) => file.slice(0, file.lastIndexOf('/') + 1)))
  const [folder] = folders
  return folders.size === 1 && folder ? <Ltr mono>{folder}</Ltr> : null
}

function Checked({ report }: { report: { checked_at: string; quick: boolean } }) {
  const m = useMessages(pullsMessages)
  const format = useFormat()
  return `${m.checkedAt({ at: format.relative(report.checked_at) })}${report.quick ? ` · ${m.quickNote}` : ''}`
}

interface ActionsProps {
  session: PullSessionDetail
  edit: ReturnType<typeof usePullEdit>
  onVerify(quick: boolean): void
  onRepaired(runId: string): void
}

function Actions({ session, edit, onVerify, onRepaired }: ActionsProps) {
  const m = useMessages(pullsMessages)
  const [, navigate] = useLocation()
  const [asking, setAsking] = useState<'repair' | 'delete' | null>(null)
  const name = session.session
  const moving = session.badge === 'running'
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button
            leftSection={<ShieldCheck size={15} aria-hidden />}
            rightSection={<ChevronDown size={14} aria-hidden />}
            loading={edit.verify.isPending}
            disabled={moving}
          >
            {m.verify}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => onVerify(false)}>{m.verifyFull}</Menu.Item>
          <Menu.Item onClick={() => onVerify(true)}>
            {m.verifyQuick} <span className={classes.hint}>{m.verifyQuickHint}</span>
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {(session.badge === 'differs' || session.badge === 'broken' || session.badge === 'incomplete') && (
        <Button variant="default" leftSection={<Wrench size={15} aria-hidden />} onClick={() => setAsking('repair')}>
          {m.repair}
        </Button>
      )}
      <Button component="a" href={`${PULLS}/${name}/archive`} download variant="default" leftSection={<Download size={15} aria-hidden />}>
        {m.download}
      </Button>
      <Button
        variant="default"
        title={m.pinHint}
        leftSection={session.pinned ? <PinOff size={15} aria-hidden /> : <Pin size={15} aria-hidden />}
        loading={edit.pin.isPending}
        onClick={() => edit.pin.mutate({ session: name, pinned: !session.pinned })}
      >
        {session.pinned ? m.unpin : m.pin}
      </Button>
      <Button
        variant="default"
        leftSection={<Trash2 size={15} aria-hidden />}
        disabled={moving || session.pinned}
        onClick={() => setAsking('delete')}
      >
        {m.delete}
      </Button>
      <Confirm
        opened={asking === 'repair'}
        title={m.repairTitle}
        action={m.repair}
        pending={edit.repair.isPending}
        error={edit.repair.error}
        onClose={() => setAsking(null)}
        onConfirm={() =>
          edit.repair.mutate(name, {
            onSuccess: (runId) => {
              setAsking(null)
              onRepaired(runId)
            },
          })
        }
      >
        <p>{m.repairText}</p>
      </Confirm>
      <Confirm
        opened={asking === 'delete'}
        title={m.deleteTitle}
        action={m.delete}
        danger
        pending={edit.remove.isPending}
        error={edit.remove.error}
        onClose={() => setAsking(null)}
        onConfirm={() =>
          edit.remove.mutate(name, {
            onSuccess: () => {
              toast(m.deleted)
              navigate('/pulls')
            },
          })
        }
      >
        <p>{m.deleteText}</p>
      </Confirm>
    </>
  )
}
