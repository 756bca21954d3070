import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import Bell from 'lucide-react/icons/bell'
import Send from 'lucide-react/icons/send'
import { type FormEvent, useState } from 'react'
import type { z } from 'zod'
import { LANGUAGE_CODES, LANGUAGES, type Language } from '../../../facts/languages.ts'
import type { Notifications, NotificationsBody, NotificationsTestResponse } from '../../../schemas/notifications.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { useHasRole } from '../../app/session.tsx'
import { Badge } from '../../components/badge.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Page } from '../../components/page.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useUnsavedChanges } from '../../components/use-unsaved-changes.ts'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { serverMessage } from '../../i18n/server-messages.ts'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { MailServer, type MailServerFields, mailServerUrl } from './mail-server.tsx'
import { notificationMessages } from './messages.ts'
import classes from './notifications-page.module.css'

const NOTIFICATIONS = `${ZOHO}/notifications`
const notificationsKey = ['zoho', 'notifications'] as const

export default function NotificationsPage() {
  const m = useMessages(notificationMessages)
  const query = useQuery({
    queryKey: notificationsKey,
    queryFn: ({ signal }) => request<{ data: Notifications }>(NOTIFICATIONS, { signal }).then(({ data }) => data),
  })
  return (
    <Page title={m.title} intro={m.intro}>
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={360} />}>
        {(data) => (
          <>
            <Channels notifications={data} />
            <Recent recent={data.recent} />
          </>
        )}
      </QueryBoundary>
    </Page>
  )
}

function Channels({ notifications }: { notifications: Notifications }) {
  const m = useMessages(notificationMessages)
  const client = useQueryClient()
  const mayChange = useHasRole('admin')
  const format = useFormat()
  const [draft, setDraft] = useState<NotificationsBody>({})
  const [mailServer, setMailServer] = useState<MailServerFields | null>(null)
  const changed = Object.keys(draft).length > 0 || mailServer !== null
  useUnsavedChanges(changed)
  const save = useMutation({
    mutationFn: () =>
      request<{ data: Notifications }>(NOTIFICATIONS, {
        method: 'PUT',
        body: { ...draft, ...(mailServer && { smtp_url: mailServerUrl(mailServer) }) },
      }),
    onSuccess: ({ data }) => {
      client.setQueryData(notificationsKey, data)
      discard()
      toast(m.saved)
    },
  })
  const discard = () => {
    setDraft({})
    setMailServer(null)
  }
  const change = <Key extends keyof NotificationsBody>(key: Key, value: NotificationsBody[Key]) =>
    setDraft(({ [key]: _before, ...rest }) => (value === notifications[key] ? rest : { ...rest, [key]: value }))
  const isFixed = (key: keyof Notifications['sources']) =>
    notifications.sources[key] === 'environment' || notifications.sources[key] === 'gcp'
  const text = (key: 'email' | 'webhook_url', label: string, hint: string) => {
    const fixed = isFixed(key)
    return (
      <TextInput
        label={label}
        description={fixed ? m.fromEnvironment : hint}
        disabled={fixed || !mayChange}
        dir="ltr"
        autoComplete="off"
        spellCheck={false}
        value={(key in draft ? draft[key] : notifications[key]) ?? ''}
        onChange={(event) => change(key, event.currentTarget.value.trim() || null)}
      />
    )
  }
  const wait = (key: 'nothing_synced_after_minutes' | 'store_silent_after_minutes', label: string) => {
    const value = key in draft ? draft[key] : notifications[key]
    const choices: [number, string][] = [
      [60, m.hour],
      [360, m.hours6],
      [1_440, m.day],
      [4_320, m.days3],
      [10_080, m.week],
    ]
    // A time that was set elsewhere stays choosable.
    if (typeof value === 'number' && !choices.some(([minutes]) => minutes === value))
      choices.push([value, m.hoursOf({ hours: format.number(value / 60) })])
    choices.sort(([a], [b]) => a - b)
    return (
      <NativeSelect
        label={label}
        disabled={!mayChange}
        value={value === null || value === undefined ? '' : String(value)}
        onChange={(event) => change(key, event.currentTarget.value === '' ? null : Number(event.currentTarget.value))}
        data={[{ value: '', label: m.never }, ...choices.map(([minutes, name]) => ({ value: String(minutes), label: name }))]}
      />
    )
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    save.mutate()
  }
  return (
    <Section
      title={m.channels}
      actions={mayChange && <TestButton ready={notifications.email !== null || notifications.webhook_url !== null} />}
    >
      <form className={classes.form} onSubmit={submit}>
        <div className={classes.fields}>
          {text('email', m.email, m.emailHint)}
          {text('webhook_url', m.webhook, m.webhookHint)}
          {wait('nothing_synced_after_minutes', m.nothingSynced)}
          {wait('store_silent_after_minutes', m.storeSilent)}
          <NativeSelect
            label={m.language}
            disabled={!mayChange}
            value={draft.language ?? notifications.language}
            onChange={(event) => change('language', event.currentTarget.value as Language)}
            data={LANGUAGE_CODES.map((code) => ({ value: code, label: LANGUAGES[code].name }))}
          />
          <MailServer
            stored={notifications.smtp_url}
            fromEnvironment={isFixed('smtp_url')}
            disabled={!mayChange}
            draft={mailServer}
            onChange={setMailServer}
          />
        </div>
        {save.error && <ErrorCard error={save.error} />}
        {mayChange && (
          <div className={classes.buttons}>
            {changed ? (
              <Button variant="default" onClick={discard}>
                {m.discard}
              </Button>
            ) : (
              <span className={classes.none}>{m.noChanges}</span>
            )}
            <Button type="submit" disabled={!changed} loading={save.isPending}>
              {m.save}
            </Button>
          </div>
        )}
      </form>
    </Section>
  )
}

function TestButton({ ready }: { ready: boolean }) {
  const m = useMessages(notificationMessages)
  const client = useQueryClient()
  const test = useMutation({
    mutationFn: () =>
      request<z.infer<typeof NotificationsTestResponse>>(`${NOTIFICATIONS}/test`, { method: 'POST' }).then(({ data }) => data),
    onSettled: () => client.invalidateQueries({ queryKey: notificationsKey }),
  })
  const channels = test.data
    ? ([
        [m.testMail, test.data.email],
        [m.testWebhook, test.data.webhook],
      ] as const)
    : []
  return (
    <div className={classes.test}>
      <Button
        size="xs"
        variant="default"
        leftSection={<Send size={14} aria-hidden />}
        disabled={!ready}
        loading={test.isPending}
        onClick={() => test.mutate()}
      >
        {m.test}
      </Button>
      {!ready && <span className={classes.none}>{m.testNeeds}</span>}
      {test.error && <ErrorCard error={test.error} />}
      {test.data && (
        <ul className={classes.results} aria-live="polite">
          {channels.map(([name, channel]) => (
            <li key={name}>
              {name}{' '}
              <Badge tone={channel === null ? 'plain' : channel.ok ? 'good' : 'bad'}>
                {channel === null ? m.notSet : channel.ok ? m.works : m.fails}
              </Badge>{' '}
              {channel !== null && !channel.ok && (
                <>
                  <ServerText code={channel.code} params={channel.params} part="what">
                    {channel.message}
                  </ServerText>
                  .{' '}
                  <ServerText code={channel.code} params={channel.params} part="next">
                    {channel.remedy ?? ''}
                  </ServerText>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function Recent({ recent }: { recent: Notifications['recent'] }) {
  const m = useMessages(notificationMessages)
  const format = useFormat()
  const { language } = useLanguage()
  const kinds: Record<Notifications['recent'][number]['kind'], string> = {
    connection_lost: m.connection_lost,
    connection_regained: m.connection_regained,
    run_failed: m.run_failed,
    nothing_synced: m.nothing_synced,
    store_silent: m.store_silent,
    backup_too_old: m.backup_too_old,
    webhook_disabled: m.webhook_disabled,
    test: m.kindTest,
  }
  return (
    <Section title={m.recent} flush>
      {recent.length === 0 ? (
        <EmptyState icon={Bell} title={m.emptyTitle} text={m.emptyText} />
      ) : (
        <Table
          label={m.recent}
          rows={recent}
          rowKey={({ id }) => id}
          columns={[
            {
              key: 'subject',
              header: m.subject,
              cell: ({ subject, text, params }) => (
                <span title={serverMessage({ code: 'notification', params }, 'next', language) ?? text}>
                  <ServerText code="notification" params={params} part="what">
                    {subject}
                  </ServerText>
                </span>
              ),
            },
            { key: 'kind', header: m.kind, cell: ({ kind }) => kinds[kind] },
            {
              key: 'delivery',
              header: m.delivery,
              cell: ({ sent_at, error, failure, attempts }) =>
                sent_at !== null ? (
                  <Badge tone="good">{m.sent}</Badge>
                ) : error === null ? (
                  <Badge>{m.waiting}</Badge>
                ) : (
                  <span className={classes.failed}>
                    <Badge tone="bad">{m.failedAfter({ attempts: format.number(attempts) })}</Badge>{' '}
                    {failure?.channel === 'email' ? m.testMail : m.testWebhook}:{' '}
                    <ServerText code={failure?.code} params={failure?.params} part="what">
                      {error}
                    </ServerText>
                  </span>
                ),
            },
            { key: 'created', header: m.created, end: true, cell: ({ created_at }) => <RelativeTime at={created_at} /> },
          ]}
        />
      )}
    </Section>
  )
}
