import { ActionIcon, Button, Menu } from '@mantine/core'
import Ellipsis from 'lucide-react/icons/ellipsis'
import Plus from 'lucide-react/icons/plus'
import WebhookIcon from 'lucide-react/icons/webhook'
import { useState } from 'react'
import type { Webhook } from '../../../schemas/webhooks.ts'
import { Badge } from '../../components/badge.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Page } from '../../components/page.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { Deliveries } from './deliveries.tsx'
import { webhooksMessages } from './messages.ts'
import { useWebhookEdit, useWebhooks } from './use-webhooks.ts'
import { ReplayDialog, SecretDialog, WebhookDialog } from './webhook-dialogs.tsx'
import classes from './webhooks-page.module.css'

export default function WebhooksPage() {
  const m = useMessages(webhooksMessages)
  const [editing, setEditing] = useState<Webhook | 'new' | null>(null)
  const [secret, setSecret] = useState<string | null>(null)
  const query = useWebhooks()
  return (
    <Page
      title={m.title}
      intro={m.intro}
      actions={
        <Button leftSection={<Plus size={15} aria-hidden />} onClick={() => setEditing('new')}>
          {m.add}
        </Button>
      }
    >
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={3} />}>
        {(webhooks) =>
          webhooks.length === 0 ? (
            <EmptyState icon={WebhookIcon} title={m.none} text={m.noneText} />
          ) : (
            webhooks.map((webhook) => (
              <OneWebhook key={webhook.id} webhook={webhook} onEdit={() => setEditing(webhook)} onSecret={setSecret} />
            ))
          )
        }
      </QueryBoundary>
      {editing && (
        <WebhookDialog
          webhook={editing === 'new' ? null : editing}
          onMade={(made) => {
            setEditing(null)
            setSecret(made)
          }}
          onClose={() => setEditing(null)}
        />
      )}
      {secret !== null && <SecretDialog secret={secret} onClose={() => setSecret(null)} />}
    </Page>
  )
}

function OneWebhook({ webhook, onEdit, onSecret }: { webhook: Webhook; onEdit(): void; onSecret(secret: string): void }) {
  const m = useMessages(webhooksMessages)
  const { id, url, description, events, enabled, disabled_reason, failing_since } = webhook
  const name = description || new URL(url).host
  const { change, remove, rotate, test } = useWebhookEdit()
  const [open, setOpen] = useState(false)
  const [asking, setAsking] = useState<'remove' | 'rotate' | 'replay' | null>(null)
  const close = () => {
    setAsking(null)
    remove.reset()
    rotate.reset()
  }
  return (
    <>
      <Section title={name} description={<bdi dir="ltr">{url}</bdi>}>
        <div className={classes.form}>
          <div>
            <Badge tone={enabled ? (failing_since ? 'warn' : 'good') : 'plain'}>
              {enabled ? (failing_since ? m.isFailing : m.on) : disabled_reason ? m[disabled_reason] : m.off}
            </Badge>{' '}
            {enabled && failing_since !== null && (
              <span className={classes.quiet}>
                {m.failingSince} <RelativeTime at={failing_since} />
              </span>
            )}
          </div>
          <span className={classes.quiet}>{events.includes('*') ? m.everyEvent : <bdi dir="ltr">{events.join(', ')}</bdi>}</span>
          {(change.error ?? test.error) && <ErrorCard error={(change.error ?? test.error)!} />}
          <div className={classes.buttons}>
            <Button size="xs" variant="default" onClick={() => setOpen(!open)} aria-expanded={open}>
              {m.deliveries}
            </Button>
            <Button
              size="xs"
              variant="default"
              disabled={!enabled}
              loading={test.isPending}
              onClick={() => test.mutate(id, { onSuccess: () => toast(m.testQueued) })}
            >
              {m.test}
            </Button>
            <Menu position="bottom-end" withinPortal>
              <Menu.Target>
                <ActionIcon variant="default" size={30} aria-label={m.moreOf({ name })} loading={change.isPending}>
                  <Ellipsis size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={onEdit}>{m.edit}</Menu.Item>
                <Menu.Item disabled={!enabled} onClick={() => setAsking('replay')}>
                  {m.replay}
                </Menu.Item>
                <Menu.Item onClick={() => setAsking('rotate')}>{m.rotate}</Menu.Item>
                <Menu.Item onClick={() => change.mutate({ id, enabled: !enabled })}>{enabled ? m.turnOff : m.turnOn}</Menu.Item>
                <Menu.Item className="danger" onClick={() => setAsking('remove')}>
                  {m.remove}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </div>
        </div>
      </Section>
      {open && <Deliveries id={id} url={url} />}
      {asking === 'replay' && <ReplayDialog id={id} onClose={close} />}
      <Confirm
        opened={asking === 'remove'}
        title={m.removeTitle}
        action={m.remove}
        danger
        pending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate(id, { onSuccess: close })}
        onClose={close}
      >
        <p>{m.removeText}</p>
      </Confirm>
      <Confirm
        opened={asking === 'rotate'}
        title={m.rotateTitle}
        action={m.rotate}
        pending={rotate.isPending}
        error={rotate.error}
        onConfirm={() =>
          rotate.mutate(id, {
            onSuccess: (made) => {
              close()
              onSecret(made.secret)
            },
          })
        }
        onClose={close}
      >
        <p>{m.rotateText}</p>
      </Confirm>
    </>
  )
}
