import { z } from 'zod'

export const WEBHOOK_EVENTS = [
  'product.created',
  'product.updated',
  'product.deleted',
  'product.price_changed',
  'product.stock_changed',
  'product.images_changed',
  'run.finished',
  'run.failed',
  'connection.changed',
  'store.silent',
  'pull.finished',
  'webhook.test',
] as const
/** The events that a webhook receives; `product.*` is every event of products, `*` every event. */
export const WebhookEvent = z.enum([...WEBHOOK_EVENTS, 'product.*', '*'])
export type WebhookEvent = z.infer<typeof WebhookEvent>

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).max(2_000)
const events = z
  .array(WebhookEvent)
  .min(1)
  .max(50)
  .transform((names) => [...new Set(names)])
const description = z.string().trim().max(500)

/** `POST /api/webhooks` */
export const WebhookBody = z.object({ url, events, description: description.default(''), enabled: z.boolean().default(true) })
export type WebhookBody = z.input<typeof WebhookBody>
/** `PATCH /api/webhooks/{id}`: any subset. */
export const WebhookPatch = z.object({
  url: url.optional(),
  events: events.optional(),
  description: description.optional(),
  enabled: z.boolean().optional(),
})
export type WebhookPatch = z.infer<typeof WebhookPatch>

export const Webhook = z.object({
  id: z.uuid(),
  url: z.string(),
  events: z.array(WebhookEvent),
  description: z.string(),
  enabled: z.boolean(),
  /**
   * Why zinc disabled it: the receiver responded with 410 (`gone`), or nothing arrived for five
   * days (`failing`).
   */
  disabled_reason: z.enum(['gone', 'failing']).nullable(),
  /** The first failure since the last successful delivery. */
  failing_since: z.iso.datetime().nullable(),
  /** Until when the secret before the last rotation also signs. */
  previous_until: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})
export type Webhook = z.infer<typeof Webhook>
export const WebhooksResponse = z.object({ status: z.literal('success'), data: z.array(Webhook), next_cursor: z.null() })
export const WebhookResponse = z.object({ status: z.literal('success'), data: Webhook })
/** `secret` is shown only here. */
export const WebhookMade = Webhook.extend({ secret: z.string() })
export type WebhookMade = z.infer<typeof WebhookMade>
export const WebhookMadeResponse = z.object({ status: z.literal('success'), data: WebhookMade })

export const DeliveryState = z.enum(['pending', 'delivered', 'failed'])
export const DeliveriesQuery = z.object({
  state: DeliveryState.optional(),
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

export const DeliveryAttempt = z.object({
  at: z.iso.datetime(),
  /** The receiver's response; null: none. */
  status: z.int().nullable(),
  ms: z.number(),
  /** A code, for example timeout, unreachable, webhook_url_blocked, http_500; null: delivered. */
  error: z.string().nullable(),
  /** The first KB of the response. */
  reply: z.string().nullable(),
})
export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>

export const WebhookDelivery = z.object({
  /** The `webhook-id` of each attempt. */
  id: z.uuid(),
  type: z.string(),
  state: DeliveryState,
  /** Time of the newest change in it. */
  timestamp: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
  /** Time of the next attempt; null: there is none. */
  next_attempt_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
  attempts: z.array(DeliveryAttempt),
})
export type WebhookDelivery = z.infer<typeof WebhookDelivery>
export const DeliveriesResponse = z.object({
  status: z.literal('success'),
  data: z.array(WebhookDelivery),
  next_cursor: z.string().nullable(),
})
export const DeliveryResponse = z.object({ status: z.literal('success'), data: WebhookDelivery })
export const DeliveryQueuedResponse = z.object({ status: z.literal('queued'), data: z.object({ delivery_id: z.uuid() }) })

/** `POST /api/webhooks/{id}/replay`: from a time, or after a cursor of the change feed. */
export const ReplayBody = z
  .object({ since: z.string().max(60).optional(), cursor: z.string().max(500).optional() })
  .refine(({ since, cursor }) => (since === undefined) !== (cursor === undefined), { message: 'needs since or cursor, and not both' })
export const ReplayResponse = z.object({ status: z.literal('queued'), data: z.object({ deliveries: z.number() }) })
