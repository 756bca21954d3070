import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import Send from 'lucide-react/icons/send'
import { useState } from 'react'
import type { Webhook as WebhookSetup, WebhookTest } from '../../../schemas/webhook.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { settingsKey } from '../../api/zoho.ts'
import { Callout } from '../../components/callout.tsx'
import { CodeLine } from '../../components/code-line.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './webhook.module.css'
import { webhookMessages } from './webhook-messages.ts'

const SETUP = `${ZOHO}/webhook/setup`
const setupKey = ['zoho', 'webhook'] as const
/** Whoever sets it up in another window wants to see the first notice come. */
const LOOK_EVERY_MS = 5_000

/**
 * What to enter in Zoho so that it tells of changed items at once, and whether its notices arrive.
 */
export function Webhook({ mayChange }: { mayChange: boolean }) {
  const m = useMessages(webhookMessages)
  const query = useQuery({
    queryKey: setupKey,
    refetchInterval: LOOK_EVERY_MS,
    queryFn: ({ signal }) => request<{ data: WebhookSetup }>(SETUP, { signal }).then(({ data }) => data),
  })
  return (
    <Section title={m.title} description={m.hint}>
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={260} />}>
        {(setup) => (
          <>
            <ol className={classes.steps}>
              <li>
                {m.step1}
                <div className={classes.part}>
                  <div className={classes.wide}>
                    <CodeLine value={setup.url} what={m.address} />
                  </div>
                  {!setup.reachable && <Callout tone="warn" title={m.unreachable} />}
                </div>
              </li>
              <li>
                {m.step2}
                <Secret masked={setup.secret} mayChange={mayChange} />
              </li>
              <li>
                {m.step3}
                <Test ready={setup.secret !== null} />
              </li>
            </ol>
            <Arrivals setup={setup} />
          </>
        )}
      </QueryBoundary>
    </Section>
  )
}

function Arrivals({ setup: { accepted, refused } }: { setup: WebhookSetup }) {
  const m = useMessages(webhookMessages)
  return (
    <DescriptionList
      items={[
        [m.accepted, accepted.last_at === null ? m.acceptedNone : <RelativeTime key="at" at={accepted.last_at} />],
        [
          m.ofItems,
          accepted.last_at === null ? null : accepted.items.length === 0 ? (
            m.ofTest
          ) : (
            <span key="items" className={classes.items}>
              {accepted.items.map((id) => (
                <Ltr key={id} mono>
                  {id}
                </Ltr>
              ))}
            </span>
          ),
        ],
        [
          m.refused,
          refused.last_at === null ? (
            m.refusedNone
          ) : (
            <span key="refused" title={m.refusedHint}>
              <RelativeTime at={refused.last_at} /> · {m.count({ count: refused.count })}
            </span>
          ),
        ],
      ]}
    />
  )
}

/** Makes a secret and shows it once: it lives in this component's state and goes with it. */
function Secret({ masked, mayChange }: { masked: string | null; mayChange: boolean }) {
  const m = useMessages(webhookMessages)
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const make = useMutation({
    gcTime: 0,
    mutationFn: () => request<{ data: { secret: string } }>(`${SETUP}/secret`, { method: 'POST' }).then(({ data }) => data.secret),
    onSuccess: () => {
      setAsking(false)
      void client.invalidateQueries({ queryKey: setupKey })
      void client.invalidateQueries({ queryKey: settingsKey })
    },
  })
  return (
    <div className={classes.part}>
      {make.data ? (
        <div className={classes.shown} role="alert">
          <p>{m.shownOnce}</p>
          <CodeLine value={make.data} what={m.secret} />
          <div>
            <Button size="xs" onClick={() => make.reset()}>
              {m.copied}
            </Button>
          </div>
        </div>
      ) : (
        <div className={classes.row}>
          <span className={classes.muted}>{masked === null ? m.secretNone : m.secretSet({ end: masked.replace('••••', '') })}</span>
          {mayChange && (
            <Button
              size="xs"
              variant={masked === null ? 'filled' : 'default'}
              loading={make.isPending && !asking}
              onClick={() => (masked === null ? make.mutate() : setAsking(true))}
            >
              {masked === null ? m.make : m.makeNew}
            </Button>
          )}
        </div>
      )}
      {make.error && !asking && <ErrorCard error={make.error} />}
      <Confirm
        opened={asking}
        title={m.replaceTitle}
        action={m.makeNew}
        danger
        pending={make.isPending}
        error={make.error}
        onConfirm={() => make.mutate()}
        onClose={() => setAsking(false)}
      >
        <p>{m.replaceText}</p>
      </Confirm>
    </div>
  )
}

function Test({ ready }: { ready: boolean }) {
  const m = useMessages(webhookMessages)
  const format = useFormat()
  const client = useQueryClient()
  const test = useMutation({
    mutationFn: () => request<{ data: WebhookTest }>(`${SETUP}/test`, { method: 'POST' }).then(({ data }) => data),
    onSettled: () => client.invalidateQueries({ queryKey: setupKey }),
  })
  const problems = { network: m.testNetwork, not_zinc: m.testNotZinc, refused: m.testRefused }
  const { data } = test
  return (
    <div className={classes.part}>
      <Button
        size="xs"
        variant="default"
        leftSection={<Send size={14} aria-hidden className="mirrored" />}
        disabled={!ready}
        loading={test.isPending}
        onClick={() => test.mutate()}
      >
        {m.test}
      </Button>
      {test.error && <ErrorCard error={test.error} />}
      {data && (
        <Callout
          tone={data.problem === null ? 'good' : 'bad'}
          title={data.problem === null ? m.testGood({ time: format.duration(data.ms) }) : problems[data.problem]}
        />
      )}
    </div>
  )
}
