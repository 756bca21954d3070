import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { readChangeCursor } from '../../catalog/product-changes.ts'
import type { ProductFeed } from '../../catalog/product-feed.ts'
import type { WebhookDelivery as DeliveryRow, WebhookEndpoint } from '../../generated/client.ts'
import { BadRequestError } from '../../lib/errors.ts'
import { parseTimestamp } from '../../lib/parse-timestamp.ts'
import { RotateBody } from '../../schemas/api-keys.ts'
import {
  DeliveriesQuery,
  DeliveriesResponse,
  DeliveryAttempt,
  DeliveryQueuedResponse,
  DeliveryResponse,
  type WebhookDelivery as DeliveryShown,
  DeliveryState,
  ReplayBody,
  ReplayResponse,
  WebhookBody,
  WebhookEvent,
  WebhookMadeResponse,
  WebhookPatch,
  WebhookResponse,
  type Webhook as WebhookShown,
  WebhooksResponse,
} from '../../schemas/webhooks.ts'
import type { Webhooks } from '../../webhooks/endpoints.ts'
import { messageOf } from '../../webhooks/message.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'

export interface WebhookRoutesDeps {
  webhooks: Webhooks
  productFeed: ProductFeed
  address: { current(): string }
}

const tags = ['webhooks']
const Id = z.object({ id: z.uuid() })
const OfDelivery = z.object({ id: z.uuid(), delivery_id: z.uuid() })

/** `/api/webhooks`: the endpoints that receive events, and the outcome of each delivery. */
export const webhookRoutes: FastifyPluginAsyncZod<WebhookRoutesDeps> = async (app, { webhooks, productFeed, address }) => {
  const onRequest = requireRole('admin')
  const config = { keyScope: 'webhooks:manage' } as const
  const success = <T>(data: T) => ({ status: 'success' as const, data })
  const queued = <T>(data: T) => ({ status: 'queued' as const, data })
  const delivery = (row: DeliveryRow) => deliveryShown(row, address.current())

  app.get(
    '/',
    {
      onRequest,
      config,
      schema: { tags, operationId: 'listWebhooks', summary: 'List webhooks, oldest first', response: { 200: WebhooksResponse } },
    },
    async () => ({ ...success((await webhooks.list()).map(shown)), next_cursor: null }),
  )
  app.post(
    '/',
    {
      onRequest,
      config,
      schema: {
        tags,
        operationId: 'createWebhook',
        summary: 'Create a webhook; its secret is returned only once',
        body: WebhookBody,
        response: { 201: WebhookMadeResponse },
      },
    },
    async (request, reply) => {
      const { secret, row } = await webhooks.create(request.body, actorOf(request))
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send(success({ ...shown(row), secret }))
    },
  )
  app.get(
    '/:id',
    {
      onRequest,
      config,
      schema: { tags, operationId: 'getWebhook', summary: 'Return one webhook', params: Id, response: { 200: WebhookResponse } },
    },
    async ({ params }) => success(shown(await webhooks.find(params.id))),
  )
  app.patch(
    '/:id',
    {
      onRequest,
      config,
      schema: {
        tags,
        operationId: 'changeWebhook',
        summary: 'Update a webhook',
        params: Id,
        body: WebhookPatch,
        response: { 200: WebhookResponse },
      },
    },
    async (request) => success(shown(await webhooks.change(request.params.id, request.body, actorOf(request)))),
  )
  app.delete(
    '/:id',
    {
      onRequest,
      config,
      schema: {
        tags,
        operationId: 'deleteWebhook',
        summary: 'Delete a webhook with its deliveries',
        params: Id,
        response: { 200: WebhookResponse },
      },
    },
    async (request) => success(shown(await webhooks.remove(request.params.id, actorOf(request)))),
  )
  app.post(
    '/:id/rotate-secret',
    {
      onRequest,
      config,
      schema: {
        tags,
        operationId: 'rotateWebhookSecret',
        summary: 'Replace the secret of a webhook; it is returned only once, and the old one also signs for `overlap_hours`',
        params: Id,
        body: RotateBody.nullish(),
        response: { 201: WebhookMadeResponse },
      },
    },
    async (request, reply) => {
      const overlapHours = request.body?.overlap_hours ?? 0
      const { secret, row } = await webhooks.rotateSecret(request.params.id, { overlapHours }, actorOf(request))
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send(success({ ...shown(row), secret }))
    },
  )
  app.post(
    '/:id/test',
    {
      onRequest,
      config,
      schema: {
        tags,
        operationId: 'testWebhook',
        summary: 'Send a test event to a webhook',
        params: Id,
        response: { 202: DeliveryQueuedResponse },
      },
    },
    async (request, reply) => {
      const { id } = await webhooks.test(request.params.id, actorOf(request))
      return reply.code(202).send(queued({ delivery_id: id }))
    },
  )
  app.get(
    '/:id/deliveries',
    {
      onRequest,
      config,
      schema: {
        tags,
        operationId: 'listWebhookDeliveries',
        summary: 'List deliveries of a webhook, newest first; they are kept for 14 days',
        params: Id,
        querystring: DeliveriesQuery,
        response: { 200: DeliveriesResponse },
      },
    },
    async ({ params, query: { state, cursor, limit } }) => {
      const before = cursor === undefined ? undefined : readPosition(cursor)
      const rows = await webhooks.deliveries(params.id, { state, before, limit })
      const page = rows.slice(0, limit)
      return { ...success(page.map(delivery)), next_cursor: rows.length > limit ? String(page.at(-1)!.position) : null }
    },
  )
  app.get(
    '/:id/deliveries/:delivery_id',
    {
      onRequest,
      config,
      schema: {
        tags,
        operationId: 'getWebhookDelivery',
        summary: 'Return one delivery with its attempts',
        params: OfDelivery,
        response: { 200: DeliveryResponse },
      },
    },
    async ({ params }) => success(delivery(await webhooks.delivery(params.id, params.delivery_id))),
  )
  app.post(
    '/:id/deliveries/:delivery_id/retry',
    {
      onRequest,
      config,
      schema: {
        tags,
        operationId: 'retryWebhookDelivery',
        summary: 'Retry a delivery under the same id',
        params: OfDelivery,
        response: { 202: DeliveryQueuedResponse },
      },
    },
    async (request, reply) => {
      const { id } = await webhooks.retry(request.params.id, request.params.delivery_id, actorOf(request))
      return reply.code(202).send(queued({ delivery_id: id }))
    },
  )
  app.post(
    '/:id/replay',
    {
      onRequest,
      config,
      schema: {
        tags,
        operationId: 'replayWebhook',
        summary: 'Send again the events since a time, or the product changes after a cursor of the change feed',
        params: Id,
        body: ReplayBody,
        response: { 202: ReplayResponse },
      },
    },
    async (request, reply) => {
      const { since, cursor } = request.body
      // Also numbers committed changes, so that none is left out.
      const snapshot = await productFeed.now()
      const from = since !== undefined ? { since: parseTimestamp('since', since) } : { afterSeq: readChangeCursor(snapshot, cursor).seq }
      return reply.code(202).send(queued({ deliveries: await webhooks.replay(request.params.id, from, actorOf(request)) }))
    },
  )
}

/** Throws BadRequestError `invalid_cursor`. */
function readPosition(cursor: string): bigint {
  if (/^\d{1,18}$/.test(cursor)) return BigInt(cursor)
  throw new BadRequestError('invalid_cursor')
}

function shown(row: WebhookEndpoint): WebhookShown {
  const { id, url, description, enabled, failing_since, previous_until, created_at, updated_at } = row
  return {
    id,
    url,
    events: WebhookEvent.array().parse(row.events),
    description,
    enabled,
    disabled_reason: row.disabled_reason as WebhookShown['disabled_reason'],
    failing_since: failing_since?.toISOString() ?? null,
    previous_until: previous_until?.toISOString() ?? null,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  }
}

function deliveryShown(row: DeliveryRow, publicUrl: string): DeliveryShown {
  return {
    id: row.id,
    ...messageOf(row, publicUrl),
    state: DeliveryState.parse(row.state),
    next_attempt_at: row.state === 'pending' ? row.due_at.toISOString() : null,
    finished_at: row.finished_at?.toISOString() ?? null,
    attempts: DeliveryAttempt.array().parse(row.attempts),
  }
}
