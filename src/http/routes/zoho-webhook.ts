import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ConnectionContext } from '../../connection/connection.ts'
import { isTestNotification, WEBHOOK_SIGNATURE } from '../../connection/test-webhook.ts'
import { verifySignature } from '../../connection/webhook-signature.ts'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { BadRequestError, UnauthorizedError } from '../../lib/errors.ts'
import { eventItemIds } from '../../sync/webhook/payload.ts'
import type { WebhookQueue } from '../../sync/webhook/queue.ts'
import { noteAccepted, noteRefused } from '../../sync/webhook/stats.ts'

export interface ZohoWebhookDeps {
  db: Database
  clock: Clock
  connect: Pick<ConnectionContext, 'settings'>
  webhookQueue: Pick<WebhookQueue, 'take'>
}

/** A whole item, with its description and custom fields, as JSON within a form. */
const MAX_EVENT_BYTES = 256 * 1024

const signatureOf = ({ headers }: FastifyRequest): string => {
  const signature = headers[WEBHOOK_SIGNATURE]
  if (typeof signature === 'string' && signature !== '') return signature
  throw refused()
}
const refused = () => new UnauthorizedError('invalid_signature')

export const zohoWebhookRoutes: FastifyPluginAsyncZod<ZohoWebhookDeps> = async (app, { db, clock, connect, webhookQueue }) => {
  // The signature is over the bytes, whatever their content type; this scope has no other route.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  app.post(
    '/webhook',
    {
      config: { public: true, limited: true, unknownParameters: 'ignore', openTo: 'messages with the signature of the webhook' },
      bodyLimit: MAX_EVENT_BYTES,
      // Without a signature the body is not read.
      onRequest: async (request) => void signatureOf(request),
      schema: {
        tags: ['sync'],
        operationId: 'receiveZohoWebhook',
        summary: 'Receive a webhook of Zoho about changed items, signed with webhook_secret; the items are then fetched from the API',
        response: { 202: z.object({ status: z.literal('queued'), items: z.array(z.string()) }) },
      },
    },
    async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const type = request.headers['content-type'] ?? ''
      const isForm = /^application\/x-www-form-urlencoded/i.test(type)
      const query = request.raw.url?.split('?')[1] ?? ''
      const ofBody = isForm ? [...new URLSearchParams(body.toString('utf8'))] : []
      const parameters = [...new URLSearchParams(query), ...ofBody]
      const secret = (await connect.settings.effective()).values.webhook_secret
      const signed =
        secret === null ? null : verifySignature(secret, { signature: signatureOf(request), body, isJson: !isForm, parameters })
      if (signed === null) {
        await noteRefused({ db, clock })
        throw refused()
      }
      const text = isForm ? '' : body.toString('utf8')
      // An attacker with a copy of a webhook could add a query that its signature does not cover.
      const items = eventItemIds({ body: text, parameters: signed === 'body' ? ofBody : parameters })
      await noteAccepted({ db, clock }, items)
      if (items.length === 0 && isTestNotification(text)) return reply.code(202).send({ status: 'queued' as const, items })
      if (items.length === 0) throw new BadRequestError('bad_request.no_item_id')
      await webhookQueue.take(items)
      return reply.code(202).send({ status: 'queued' as const, items })
    },
  )
}
