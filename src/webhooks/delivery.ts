import type { Logger } from 'pino'
import type { Database, Db } from '../database/client.ts'
import type { WebhookDelivery, WebhookEndpoint } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { GuardedAgents } from '../lib/ssrf-guard.ts'
import { addNotification, notification } from '../notifications/notifications.ts'
import type { JobQueue } from '../queue/queue.ts'
import type { DeliveryAttempt } from '../schemas/webhooks.ts'
import { recordAudit, SYSTEM_ACTOR } from '../settings/audit-log.ts'
import { aadFor, ENCRYPTED_PREVIOUS_WEBHOOK_SECRETS, ENCRYPTED_WEBHOOK_SECRETS } from '../settings/encrypted-columns.ts'
import type { Encryption } from '../settings/encryption.ts'
import { messageOf } from './message.ts'
import { sendOnce } from './send.ts'
import { signatureHeaders } from './signature.ts'

/** Webhooks that one process sends to in parallel. */
const CONCURRENCY = 8
/** How often to look for due deliveries, and for jobs of other processes. */
const LOOK_EVERY_MS = 1_000
const POLL_SECONDS = 5
/** Parallel messages to one receiver; fewer to one that fails, so that it costs less. */
const BATCH = 8
const FAILING_BATCH = 2
/** A job ends after this, so that webhooks with many deliveries take turns. */
const TURN_MS = 10_000
/** Longer than an attempt can take: then another process may take over what a dead one left. */
const LEASE_MS = 30_000
const DAY_MS = 86_400_000
const GIVE_UP_DAYS = 5
const KEEP_DAYS = 14
/** Retries of deliveries that failed together are spread by this share of their delay. */
const JITTER = 0.1

export interface WebhookDeliveryDeps {
  db: Database
  clock: Clock
  log: Logger
  queue: JobQueue
  encryption: Encryption
  agents: GuardedAgents
  publicUrl(): string
  /** Delays between attempts; after the last one a delivery has failed. */
  retrySeconds: readonly number[]
  works: boolean
}

/**
 * Sends the stored deliveries, in one job for each webhook with due ones. After a crash between the
 * attempt and its row, a delivery is sent again under the same id.
 */
export function createWebhookDelivery(deps: WebhookDeliveryDeps) {
  const { db, clock, log, queue, encryption, agents, publicUrl, retrySeconds, works } = deps
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()
  let closed = false

  /**
   * Claims the next deliveries of a webhook for this process, each the oldest of its product: an
   * index scan that stops early.
   */
  const claim = (webhookId: string, limit: number): Promise<WebhookDelivery[]> => {
    const now = clock.now()
    return db.$queryRaw<WebhookDelivery[]>`
      with claimed as (
        update webhook_delivery set begun = true, tries = tries + 1, due_at = ${new Date(now.getTime() + LEASE_MS)} where id in (
          select d.id from webhook_delivery d
          where d.webhook_id = ${webhookId}::uuid and d.state = 'pending' and d.due_at <= ${now} and d.position = coalesce((
            select e.position from webhook_delivery e where e.webhook_id = d.webhook_id and e.product_id = d.product_id
              and e.state = 'pending' order by e.position limit 1), d.position)
          order by d.position limit ${limit} for update skip locked
        ) returning *
      ) select * from claimed order by position`
  }

  function secretsOf({ id, secret, previous_secret, previous_until }: WebhookEndpoint): string[] {
    const newest = encryption.decrypt(secret, aadFor(ENCRYPTED_WEBHOOK_SECRETS, id))
    if (previous_secret === null || previous_until === null || previous_until <= clock.now()) return [newest]
    return [newest, encryption.decrypt(previous_secret, aadFor(ENCRYPTED_PREVIOUS_WEBHOOK_SECRETS, id))]
  }

  async function deliver(webhook: WebhookEndpoint, delivery: WebhookDelivery, signal: AbortSignal): Promise<void> {
    const { id } = delivery
    const body = JSON.stringify(messageOf(delivery, publicUrl()))
    const at = clock.now()
    const headers = signatureHeaders(secretsOf(webhook), { id, at, body })
    try {
      const attempt = await sendOnce({ agents, url: webhook.url, headers, body, at, signal })
      await db.$transaction((tx) => record(tx, delivery, attempt))
    } catch (error) {
      // Interrupted by a shutdown: the next worker sends it.
      await db.webhookDelivery.updateMany({ where: { id, state: 'pending' }, data: { due_at: at, tries: { decrement: 1 } } })
      throw error
    }
  }

  async function record(tx: Db, { id, webhook_id, tries }: WebhookDelivery, attempt: DeliveryAttempt): Promise<void> {
    const now = clock.now()
    const delaySeconds = retrySeconds[tries - 1]
    const isGone = attempt.status === 410
    const state = attempt.error === null ? 'delivered' : isGone || delaySeconds === undefined ? 'failed' : 'pending'
    const delayMs = (delaySeconds ?? 0) * 1_000 * (1 + JITTER * (2 * Math.random() - 1))
    await tx.$executeRaw`
      update webhook_delivery set state = ${state}, attempts = attempts || ${JSON.stringify([attempt])}::jsonb,
        due_at = ${new Date(now.getTime() + delayMs)}, finished_at = ${state === 'pending' ? null : now}::timestamptz
      where id = ${id}::uuid`
    if (attempt.error === null) {
      await tx.webhookEndpoint.updateMany({ where: { id: webhook_id, failing_since: { not: null } }, data: { failing_since: null } })
      return
    }
    const [webhook] = await tx.$queryRaw<WebhookEndpoint[]>`
      update webhook_endpoint set failing_since = coalesce(failing_since, ${now}) where id = ${webhook_id}::uuid and enabled returning *`
    if (webhook?.failing_since && (isGone || now.getTime() - webhook.failing_since.getTime() >= GIVE_UP_DAYS * DAY_MS))
      await turnOff(tx, webhook, isGone ? 'gone' : 'failing')
  }

  async function turnOff(tx: Db, { id, url }: WebhookEndpoint, reason: 'gone' | 'failing'): Promise<void> {
    await tx.webhookEndpoint.update({ where: { id }, data: { enabled: false, disabled_reason: reason, updated_at: clock.now() } })
    await recordAudit(tx, { ...SYSTEM_ACTOR, action: 'webhook.disable', target: `webhook:${id}`, fields: [reason] })
    const facts = { host: new URL(url).host, days: reason === 'gone' ? null : GIVE_UP_DAYS }
    await addNotification(tx, notification('webhook_disabled', facts), { clock, queue })
  }

  /** Sends the due deliveries of one webhook, for a limited time. */
  async function execute({ webhook_id }: { webhook_id: string }, signal: AbortSignal): Promise<null> {
    const began = performance.now()
    while (performance.now() - began < TURN_MS) {
      signal.throwIfAborted()
      const webhook = await db.webhookEndpoint.findUnique({ where: { id: webhook_id } })
      if (!webhook?.enabled) return null
      const claimed = await claim(webhook_id, webhook.failing_since ? FAILING_BATCH : BATCH)
      if (claimed.length === 0) return null
      await Promise.all(claimed.map((delivery) => deliver(webhook, delivery, signal)))
    }
    return null
  }

  /** Adds a job for each webhook with due deliveries; there is one at a time. */
  async function look(): Promise<void> {
    const due = await db.$queryRaw<{ webhook_id: string }[]>`
      select id as webhook_id from webhook_endpoint w where enabled and exists (
        select 1 from webhook_delivery d where d.webhook_id = w.id and d.state = 'pending' and d.due_at <= ${clock.now()})`
    await queue.add(
      db,
      'webhook',
      due.map(({ webhook_id }) => ({ data: { webhook_id }, key: webhook_id })),
    )
  }

  function lookSoon(): void {
    if (closed) return
    timer = setTimeout(() => {
      looking = queue
        .work({ queue: 'webhook', concurrency: CONCURRENCY, pollSeconds: POLL_SECONDS, execute })
        .then(look)
        .catch((err: unknown) => log.warn({ err }, 'webhooks could not be looked for, will retry'))
        .finally(lookSoon)
    }, LOOK_EVERY_MS)
  }

  return {
    open(): void {
      if (works) lookSoon()
    },
    /** Deletes what is older than two weeks. */
    async prune(): Promise<void> {
      await db.webhookDelivery.deleteMany({ where: { occurred_at: { lt: new Date(clock.now().getTime() - KEEP_DAYS * DAY_MS) } } })
    },
    async [Symbol.asyncDispose](): Promise<void> {
      closed = true
      clearTimeout(timer)
      await looking
    },
  }
}
