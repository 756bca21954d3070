import { randomUUID } from 'node:crypto'
import type { Database, Db } from '../database/client.ts'
import type { WebhookDelivery, WebhookEndpoint } from '../generated/client.ts'
import { Prisma } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { ConflictError, NotFoundError } from '../lib/errors.ts'
import type { GuardedAgents } from '../lib/ssrf-guard.ts'
import type { WebhookEvent, WebhookPatch } from '../schemas/webhooks.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'
import { aadFor, ENCRYPTED_PREVIOUS_WEBHOOK_SECRETS, ENCRYPTED_WEBHOOK_SECRETS } from '../settings/encrypted-columns.ts'
import type { Encryption } from '../settings/encryption.ts'
import { refuseBlockedUrl } from './send.ts'
import { newWebhookSecret } from './signature.ts'

const HOUR_MS = 3_600_000

export interface WebhooksDeps {
  db: Database
  clock: Clock
  encryption: Encryption
  agents: GuardedAgents
}
export type Webhooks = ReturnType<typeof createWebhooks>

const targetOf = (id: string): string => `webhook:${id}`

/** Webhook endpoints of other systems and their deliveries. `openDelivery` sends them. */
export function createWebhooks({ db, clock, encryption, agents }: WebhooksDeps) {
  async function find(tx: Db, id: string): Promise<WebhookEndpoint> {
    const webhook = await tx.webhookEndpoint.findUnique({ where: { id } })
    if (!webhook) throw new NotFoundError('webhook_not_found')
    return webhook
  }
  async function findDelivery(tx: Db, webhook_id: string, id: string): Promise<WebhookDelivery> {
    await find(tx, webhook_id)
    const delivery = await tx.webhookDelivery.findFirst({ where: { id, webhook_id } })
    if (!delivery) throw new NotFoundError('webhook_delivery_not_found')
    return delivery
  }
  function refuseDisabled({ enabled }: WebhookEndpoint): void {
    if (!enabled) throw new ConflictError('webhook_disabled')
  }

  return {
    /** Oldest first. */
    list: (): Promise<WebhookEndpoint[]> => db.webhookEndpoint.findMany({ orderBy: [{ created_at: 'asc' }, { id: 'asc' }] }),
    find: (id: string): Promise<WebhookEndpoint> => find(db, id),

    /** Throws BadRequestError `webhook_url_blocked`. */
    async create(
      { url, ...body }: { url: string; events: WebhookEvent[]; description: string; enabled: boolean },
      by: Actor,
    ): Promise<{ secret: string; row: WebhookEndpoint }> {
      await refuseBlockedUrl(agents, url)
      const id = randomUUID()
      const secret = newWebhookSecret()
      const now = clock.now()
      const row = await db.$transaction(async (tx) => {
        const data = { id, url, ...body, secret: encryption.encrypt(secret, aadFor(ENCRYPTED_WEBHOOK_SECRETS, id)) }
        const made = await tx.webhookEndpoint.create({ data: { ...data, created_at: now, updated_at: now } })
        await recordAudit(tx, { ...by, action: 'webhook.create', target: targetOf(id), fields: body.events })
        return made
      })
      return { secret, row }
    },

    /**
     * When it is enabled again, its old failures are cleared. Throws BadRequestError
     * `webhook_url_blocked`, NotFoundError.
     */
    async change(id: string, { url, events, description, enabled }: WebhookPatch, by: Actor): Promise<WebhookEndpoint> {
      if (url !== undefined) await refuseBlockedUrl(agents, url)
      return db.$transaction(async (tx) => {
        const before = await find(tx, id)
        const changes = {
          ...(url !== undefined && url !== before.url && { url }),
          ...(events !== undefined && { events }),
          ...(description !== undefined && description !== before.description && { description }),
          ...(enabled !== undefined && enabled !== before.enabled && { enabled, disabled_reason: null, failing_since: null }),
        }
        if (Object.keys(changes).length === 0) return before
        const fields = ['url', 'events', 'description', 'enabled'].filter((field) => field in changes)
        await recordAudit(tx, { ...by, action: 'webhook.change', target: targetOf(id), fields })
        return tx.webhookEndpoint.update({ where: { id }, data: { ...changes, updated_at: clock.now() } })
      })
    },

    /** Deletes its deliveries, too. Throws NotFoundError. */
    remove: (id: string, by: Actor): Promise<WebhookEndpoint> =>
      db.$transaction(async (tx) => {
        const webhook = await find(tx, id)
        await tx.webhookEndpoint.delete({ where: { id } })
        await recordAudit(tx, { ...by, action: 'webhook.delete', target: targetOf(id) })
        return webhook
      }),

    /** Both secrets sign for some hours. Throws NotFoundError. */
    async rotateSecret(
      id: string,
      { overlapHours }: { overlapHours: number },
      by: Actor,
    ): Promise<{ secret: string; row: WebhookEndpoint }> {
      const secret = newWebhookSecret()
      const row = await db.$transaction(async (tx) => {
        const before = await find(tx, id)
        const old = encryption.decrypt(before.secret, aadFor(ENCRYPTED_WEBHOOK_SECRETS, id))
        await recordAudit(tx, { ...by, action: 'webhook.rotate_secret', target: targetOf(id) })
        const both = overlapHours > 0
        return tx.webhookEndpoint.update({
          where: { id },
          data: {
            secret: encryption.encrypt(secret, aadFor(ENCRYPTED_WEBHOOK_SECRETS, id)),
            previous_secret: both ? encryption.encrypt(old, aadFor(ENCRYPTED_PREVIOUS_WEBHOOK_SECRETS, id)) : null,
            previous_until: both ? new Date(clock.now().getTime() + overlapHours * HOUR_MS) : null,
            updated_at: clock.now(),
          },
        })
      })
      return { secret, row }
    },

    /**
     * Sends `webhook.test`, whatever the webhook subscribes to. Throws NotFoundError, ConflictError
     * `webhook_disabled`.
     */
    test: (id: string, by: Actor): Promise<{ id: string }> =>
      db.$transaction(async (tx) => {
        refuseDisabled(await find(tx, id))
        await recordAudit(tx, { ...by, action: 'webhook.test', target: targetOf(id) })
        const now = clock.now()
        const data = { webhook_id: id, text: 'This is a test of zinc.' }
        return tx.webhookDelivery.create({
          data: { webhook_id: id, type: 'webhook.test', data, occurred_at: now, due_at: now },
          select: { id: true },
        })
      }),

    /** Newest first, one more than `limit` where there is more. Throws NotFoundError. */
    async deliveries(id: string, { state, before, limit }: { state?: string | undefined; before?: bigint | undefined; limit: number }) {
      await find(db, id)
      return db.webhookDelivery.findMany({
        where: { webhook_id: id, ...(state !== undefined && { state }), ...(before !== undefined && { position: { lt: before } }) },
        orderBy: { position: 'desc' },
        take: limit + 1,
      })
    },
    delivery: (id: string, deliveryId: string): Promise<WebhookDelivery> => findDelivery(db, id, deliveryId),

    /**
     * Sends a delivery again, whatever its state, under the same id. Throws NotFoundError,
     * ConflictError `webhook_disabled`.
     */
    retry: (id: string, deliveryId: string, by: Actor): Promise<WebhookDelivery> =>
      db.$transaction(async (tx) => {
        refuseDisabled(await find(tx, id))
        await findDelivery(tx, id, deliveryId)
        await recordAudit(tx, { ...by, action: 'webhook.retry', target: targetOf(id) })
        return tx.webhookDelivery.update({
          where: { id: deliveryId },
          data: { state: 'pending', begun: true, tries: 0, due_at: clock.now(), finished_at: null },
        })
      }),

    /**
     * Sends what happened since a time or after a number of the change feed: the newest state of
     * each product, and other events again. Returns how many. Throws NotFoundError, ConflictError
     * `webhook_disabled`.
     */
    replay: (id: string, from: { since: Date } | { afterSeq: number }, by: Actor): Promise<number> =>
      db.$transaction(async (tx) => {
        refuseDisabled(await find(tx, id))
        await recordAudit(tx, { ...by, action: 'webhook.replay', target: targetOf(id) })
        // Numbers are assigned under this lock, so nothing newer is written before older changes
        // here.
        await tx.$queryRaw`select 1 from product_feed_state for update`
        const now = clock.now()
        const afterSeq = 'afterSeq' in from ? from.afterSeq : 0
        const where = 'since' in from ? Prisma.sql`changed_at >= ${from.since}` : Prisma.sql`seq > ${from.afterSeq}`
        const products = await tx.$executeRaw`
          insert into webhook_delivery as old (webhook_id, type, product_id, zoho_item_id, sku, seq, fields, occurred_at, due_at)
          select ${id}::uuid, type, product_id, zoho_item_id, sku, seq, fields, changed_at, ${now} from (
            select c.*, webhook_product_type(webhook_product_kinds(c.fields, c.change <> 'delete'), w.events) as type
            from (select *, fields_changed_after(field_seqs, ${afterSeq}) as fields from product_change where ${where}) as c
              join webhook_endpoint w on w.id = ${id}::uuid
          ) as found where type is not null order by seq
          on conflict (webhook_id, product_id) where state = 'pending' and not begun do update set due_at = excluded.due_at`
        if (!('since' in from)) return products
        const { count } = await tx.webhookDelivery.updateMany({
          where: { webhook_id: id, product_id: null, occurred_at: { gte: from.since }, state: { not: 'pending' } },
          data: { state: 'pending', begun: true, tries: 0, due_at: now, finished_at: null },
        })
        return products + count
      }),
  }
}
