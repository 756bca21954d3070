import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core'
import TriangleAlert from 'lucide-react/icons/triangle-alert'
import { type FormEvent, useState } from 'react'
import type { Webhook, WebhookDelivery, WebhookEvent } from '../../../schemas/webhooks.ts'
import { CodeLine } from '../../components/code-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { commonMessages } from '../../components/messages.ts'
import { Table } from '../../components/table.tsx'
import { ExactTime } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { eventTexts, webhooksMessages } from './messages.ts'
import { useWebhookEdit } from './use-webhooks.ts'
import classes from './webhooks-page.module.css'

/** Adds a webhook, or changes one. */
export function WebhookDialog({ webhook, onMade, onClose }: { webhook: Webhook | null; onMade(secret: string): void; onClose(): void }) {
  const m = useMessages(webhooksMessages)
  const texts = useMessages(eventTexts)
  const common = useMessages(commonMessages)
  const { make, change } = useWebhookEdit()
  const [url, setUrl] = useState(webhook?.url ?? '')
  const [description, setDescription] = useState(webhook?.description ?? '')
  const [events, setEvents] = useState<string[]>(webhook?.events ?? ['product.*'])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const body = { url: url.trim(), description: description.trim(), events: events as WebhookEvent[] }
    if (webhook) change.mutate({ id: webhook.id, ...body }, { onSuccess: onClose })
    else make.mutate(body, { onSuccess: ({ secret }) => onMade(secret) })
  }
  const error = make.error ?? change.error
  return (
    <Dialog opened onClose={onClose} title={webhook ? m.editTitle : m.add} size="lg">
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label={m.url}
          description={m.urlHint}
          type="url"
          dir="ltr"
          required
          withAsterisk={false}
          maxLength={2_000}
          placeholder="https://"
          value={url}
          onChange={(event) => setUrl(event.currentTarget.value)}
          data-autofocus
        />
        <TextInput
          label={m.description}
          dir="auto"
          maxLength={500}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <Checkbox.Group label={m.events} value={events} onChange={setEvents}>
          <div className={classes.events}>
            {Object.entries(texts).map(([name, text]) => (
              <Checkbox key={name} value={name} label={<code dir="ltr">{name}</code>} description={text} />
            ))}
          </div>
        </Checkbox.Group>
        {error && <ErrorCard error={error} />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            {common.cancel}
          </Button>
          <Button type="submit" loading={make.isPending || change.isPending} disabled={events.length === 0}>
            {webhook ? m.save : m.add}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** The secret, this once. */
export function SecretDialog({ secret, onClose }: { secret: string; onClose(): void }) {
  const m = useMessages(webhooksMessages)
  return (
    <Dialog opened onClose={onClose} title={m.secretTitle} size="lg" closeOnClickOutside={false}>
      <div className={classes.form}>
        <p className={classes.once} role="alert">
          <TriangleAlert size={16} aria-hidden />
          {m.secretOnce}
        </p>
        <CodeLine value={secret} what={m.secret} />
        <p>{m.secretUse}</p>
        <div className={classes.buttons}>
          <Button onClick={onClose}>{m.done}</Button>
        </div>
      </div>
    </Dialog>
  )
}

const REPLAY_HOURS = [1, 6, 24, 72, 336]

/** Sends again what happened within some hours. */
export function ReplayDialog({ id, onClose }: { id: string; onClose(): void }) {
  const m = useMessages(webhooksMessages)
  const common = useMessages(commonMessages)
  const { replay } = useWebhookEdit()
  const [hours, setHours] = useState('24')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const since = new Date(Date.now() - Number(hours) * 3_600_000).toISOString()
    replay.mutate(
      { id, since },
      {
        onSuccess: ({ deliveries }) => {
          toast(m.replayed({ count: deliveries }))
          onClose()
        },
      },
    )
  }
  return (
    <Dialog opened onClose={onClose} title={m.replayTitle}>
      <form className={classes.form} onSubmit={submit}>
        <p>{m.replayText}</p>
        <NativeSelect
          label={m.since}
          value={hours}
          onChange={(event) => setHours(event.currentTarget.value)}
          data={REPLAY_HOURS.map((value) => ({ value: String(value), label: m.sinceHours({ hours: value }) }))}
        />
        {replay.error && <ErrorCard error={replay.error} />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            {common.cancel}
          </Button>
          <Button type="submit" loading={replay.isPending}>
            {m.replay}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** What was sent, and what came back each time. */
export function DeliveryDialog({ delivery, onClose }: { delivery: WebhookDelivery; onClose(): void }) {
  const m = useMessages(webhooksMessages)
  const format = useFormat()
  const { id, type, timestamp, data, attempts } = delivery
  return (
    <Dialog opened onClose={onClose} title={m.deliveryTitle} size="xl">
      <div className={classes.form}>
        <p>
          {m.id}: <code dir="ltr">{id}</code>
        </p>
        <section aria-label={m.message}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text scrolls, which the keyboard must reach */}
          <pre className={classes.code} dir="ltr" tabIndex={0}>
            {JSON.stringify({ type, timestamp, data }, null, 2)}
          </pre>
        </section>
        {attempts.length === 0 ? (
          <p>{m.noAttempts}</p>
        ) : (
          <Table
            label={m.attempts}
            rows={attempts.toReversed()}
            rowKey={({ at }) => at}
            columns={[
              { key: 'at', header: m.at, cell: ({ at }) => <ExactTime at={at} /> },
              { key: 'status', header: m.status, cell: ({ status }) => status ?? '–' },
              { key: 'error', header: m.error, cell: ({ error }) => (error === null ? '–' : <code dir="ltr">{error}</code>) },
              { key: 'ms', header: m.duration, cell: ({ ms }) => format.duration(ms) },
              {
                key: 'reply',
                header: m.reply,
                cell: ({ reply }) => (
                  <span className={classes.quiet} dir="auto">
                    {reply}
                  </span>
                ),
              },
            ]}
          />
        )}
        <div className={classes.buttons}>
          <Button onClick={onClose}>{m.done}</Button>
        </div>
      </div>
    </Dialog>
  )
}
