import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { ConnectionContext } from '../../connection/connection.ts'
import type { Database } from '../../database/client.ts'
import { isPublicIp } from '../../lib/ssrf-guard.ts'
import { WebhookResponse, WebhookSecretResponse, WebhookTestResponse } from '../../schemas/webhook.ts'
import { mask } from '../../settings/mask.ts'
import { readWebhookEvents } from '../../sync/webhook/stats.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'

const tags = ['connection']
const SECRET_BYTES = 30

/** The settings for Zoho's webhooks, which report changed items immediately. */
export const webhookSettingsRoutes: FastifyPluginAsyncZod<{ db: Database; connect: ConnectionContext }> = async (app, { db, connect }) => {
  app.get(
    '/webhook/setup',
    {
      onRequest: requireRole('operator'),
      schema: {
        tags,
        operationId: 'getZohoWebhook',
        summary: 'Return what to enter in Zoho for its webhook, and how many messages arrived',
        response: { 200: WebhookResponse },
      },
    },
    async () => {
      const { values, changedAt } = await connect.settings.effective()
      const webhookQueue = await readWebhookEvents(db)
      const url = connect.webhookUrl()
      return {
        status: 'success' as const,
        data: {
          url,
          reachable: mayBePublic(new URL(url).hostname),
          secret: mask(values.webhook_secret),
          secret_changed_at: changedAt.get('webhook_secret')?.toISOString() ?? null,
          accepted: {
            count: webhookQueue.accepted,
            last_at: webhookQueue.accepted_at?.toISOString() ?? null,
            items: webhookQueue.accepted_items,
          },
          refused: { count: webhookQueue.refused, last_at: webhookQueue.refused_at?.toISOString() ?? null },
        },
      }
    },
  )
  app.post(
    '/webhook/setup/secret',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'createZohoWebhookSecret',
        summary: 'Create a new secret for the webhook of Zoho; it is returned only once',
        response: { 201: WebhookSecretResponse },
      },
    },
    async (request, reply) => {
      const secret = randomBytes(SECRET_BYTES).toString('base64url')
      await connect.settings.change({ webhook_secret: secret }, actorOf(request))
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ status: 'success' as const, data: { secret } })
    },
  )
  app.post(
    '/webhook/setup/test',
    {
      onRequest: requireRole('operator'),
      schema: {
        tags,
        operationId: 'testZohoWebhook',
        summary: 'Test the webhook of Zoho: send a signed message to its public URL',
        response: { 200: WebhookTestResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await connect.testWebhook() }),
  )
}

/**
 * A name may resolve to any address; an address of this machine or of a private network cannot be
 * reached by Zoho.
 */
function mayBePublic(host: string): boolean {
  const url = host.replace(/^\[|\]$/g, '')
  return isIP(url) === 0 ? url !== 'localhost' && url.includes('.') : isPublicIp(url)
}
