import { Button, Switch } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import RefreshCw from 'lucide-react/icons/refresh-cw'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import type { ModuleSelection, ZohoModule, ZohoSettings } from '../../../schemas/zoho-settings.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { settingsKey } from '../../api/zoho.ts'
import { HOME } from '../../app/paths.ts'
import { useHasRole } from '../../app/session.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Section } from '../../components/section.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { ExactTime, RelativeTime } from '../../components/time.tsx'
import { toastWithUndo } from '../../components/toast.tsx'
import type { Format } from '../../i18n/format.ts'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { RunBadge } from '../../runs/run-badge.tsx'
import { modulesMessages } from './messages.ts'
import classes from './module-card.module.css'
import { ModuleSettings } from './module-settings.tsx'
import { Schedule } from './schedule.tsx'

/** What `PATCH` of a module takes. */
export type ModuleChange = Partial<
  Pick<ZohoModule, 'enabled' | 'schedule' | 'full_schedule' | 'stock_schedule'> & { selection: Partial<ModuleSelection> }
>

/** One module of Zoho: whether it is read, when, how the last run went, and a start by hand. */
export function ModuleCard({ module }: { module: ZohoModule }) {
  const m = useMessages(modulesMessages)
  const client = useQueryClient()
  const [, navigate] = useLocation()
  const mayChange = useHasRole('admin')
  const mayRun = useHasRole('operator')
  const format = useFormat()
  const put = (changed: ZohoModule) =>
    client.setQueryData<ZohoSettings>(
      settingsKey,
      (settings) => settings && { ...settings, modules: settings.modules.map((one) => (one.slug === changed.slug ? changed : one)) },
    )
  const change = useMutation({
    mutationFn: (body: ModuleChange) => request<{ data: ZohoModule }>(`${ZOHO}/modules/${module.slug}`, { method: 'PATCH', body }),
    onSuccess: ({ data }) => put(data),
  })
  const sync = useMutation({
    mutationFn: (mode: 'incremental' | 'full') =>
      request<{ run_id: string }>(`${ZOHO}/modules/${module.slug}/sync`, { method: 'POST', query: { mode, wait: false } }),
    onSuccess: ({ run_id }) => {
      void client.invalidateQueries({ queryKey: ['runs'] })
      navigate(`${HOME}/runs/${run_id}`)
    },
  })
  const [confirming, setConfirming] = useState(false)
  const turn = (enabled: boolean) =>
    change.mutate(
      { enabled },
      {
        onSuccess: () =>
          toastWithUndo(enabled ? m.turnedOn({ name: module.name }) : m.turnedOff({ name: module.name }), {
            label: m.undo,
            act: () => change.mutate({ enabled: !enabled }),
          }),
      },
    )
  const about = { inventory: m.aboutInventory, books: m.aboutBooks, crm: m.aboutCrm, invoice: m.aboutInvoice }
  return (
    <Section
      title={module.name}
      description={about[module.slug]}
      actions={
        <Switch
          checked={module.enabled}
          disabled={!mayChange || change.isPending}
          onChange={(event) => turn(event.currentTarget.checked)}
          aria-label={m.switchNamed({ name: module.name })}
          label={module.enabled ? m.on : m.off}
          labelPosition="left"
        />
      }
    >
      <div className={classes.body}>
        <DescriptionList
          items={[
            [m.lastSync, <LastSync key="last" module={module} />],
            [
              m.lastRun,
              module.last_run && (
                <span className={classes.run}>
                  <Link href={`${HOME}/runs/${module.last_run.id}`}>
                    {module.last_run.started_at ? <RelativeTime at={module.last_run.started_at} /> : m.lastRun}
                  </Link>
                  <RunBadge state={module.last_run.state as Run['state']} />
                </span>
              ),
            ],
            [m.lastRunDid, module.last_run && didOf(module.last_run, m, format)],
            [m.knownUpTo, module.cursor === null ? m.fromBeginning : <ExactTime key="cursor" at={module.cursor} />],
            [m.takes, takesOf(module, m)],
            [m.nextRun, module.next_run === null ? m.notScheduled : <RelativeTime key="next" at={module.next_run} />],
          ]}
        />
        {module.last_run?.cause && (
          <p className={classes.cause}>
            <ServerText code={module.last_run.code} params={module.last_run.failure_params} part="what">
              {module.last_run.cause}
            </ServerText>
          </p>
        )}
        <Schedule
          key={`${module.schedule} ${module.full_schedule} ${module.stock_schedule}`}
          module={module}
          mayChange={mayChange}
          change={change}
        />
        {change.error && <ErrorCard error={change.error} />}
        {sync.error && <ErrorCard error={sync.error} />}
        <Confirm
          opened={confirming}
          title={m.fullTitle({ name: module.name })}
          action={m.full}
          pending={sync.isPending}
          error={null}
          onClose={() => setConfirming(false)}
          onConfirm={() => sync.mutate('full', { onSettled: () => setConfirming(false) })}
        >
          <p>{m.fullText}</p>
        </Confirm>
        {mayRun && (
          <div className={classes.buttons}>
            {mayChange && <ModuleSettings module={module} change={change} onChanged={put} />}
            <Button size="xs" variant="default" disabled={!module.enabled} onClick={() => setConfirming(true)}>
              {m.full}
            </Button>
            <Button
              size="xs"
              leftSection={<RefreshCw size={14} aria-hidden />}
              disabled={!module.enabled}
              loading={sync.isPending && sync.variables === 'incremental'}
              onClick={() => sync.mutate('incremental')}
            >
              {m.syncNow}
            </Button>
          </div>
        )}
      </div>
    </Section>
  )
}

/** The last sync that completed; before the first one, the last that completed in part. */
function LastSync({ module: { last_sync, last_run } }: { module: ZohoModule }) {
  const m = useMessages(modulesMessages)
  if (last_sync !== null) return <RelativeTime at={last_sync} />
  if (last_run?.state !== 'partial' || last_run.finished_at === null) return m.never
  return (
    <>
      <RelativeTime at={last_run.finished_at} /> <Link href={`${HOME}/failures`}>{m.withFailures}</Link>
    </>
  )
}

/** "2,204 rows · 3 failed · 15 calls" */
function didOf(
  { listed, failed, calls }: NonNullable<ZohoModule['last_run']>,
  m: (typeof modulesMessages)['en'],
  format: Format,
): string | null {
  const parts = [
    listed === null ? null : m.rows({ count: listed }),
    failed === null || failed === 0 ? null : m.failedRows({ count: format.number(failed) }),
    calls === null ? null : m.callsMade({ count: calls }),
  ].filter((part) => part !== null)
  return parts.length === 0 ? null : parts.join(' · ')
}

/** What the module's syncs take, where there is a choice. */
function takesOf({ selection, offered }: ZohoModule, m: (typeof modulesMessages)['en']): string | null {
  if (selection.sync_images !== null) return selection.sync_images ? m.takesImages : m.takesNoImages
  if (offered.length === 0) return null
  const parts = selection.modules === null ? m.takesAll : m.takesSome({ count: selection.modules.length, of: offered.length })
  return selection.line_items === false ? `${parts}, ${m.takesNoLines}` : parts
}
