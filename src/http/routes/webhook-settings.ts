import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { Connect } from '../../connection/connection.ts'
import type { Database } from '../../database/client.ts'
import { isPublicAddress } from '../../images/fetch/ssrf-guard.ts'
import { WebhookAnswer, WebhookSecretAnswer, WebhookTestAnswer } from '../../schemas/webhook.ts'
import { mask } from '../../settings/mask.ts'
import { readWebhookNotices } from '../../sync/webhook/stats.ts'
import { actorOf, allow } from '../plugins/authentication.ts'

const tags = ['connection']
const SECRET_BYTES = 30

/** What an operator needs to have Zoho tell of changed items at once. */
export const webhookSetupRoutes: FastifyPluginAsyncZod<{ db: Database; connect: Connect }> = async (app, { db, connect }) => {
  app.get(
    '/webhook/setup',
    {
      onRequest: allow('operator'),
      schema: { tags, summary: 'What to enter in Zoho for its notices, and how they arrive', response: { 200: WebhookAnswer } },
    },
    async () => {
      const { values, changedAt } = await connect.settings.effective()
      const notices = await readWebhookNotices(db)
      const url = connect.webhookUrl()
      return {
        status: 'success' as const,
        data: {
          url,
          reachable: mayBePublic(new URL(url).hostname),
          secret: mask(values.webhook_secret),
          secret_changed_at: changedAt.get('webhook_secret')?.toISOString() ?? null,
          accepted: { count: notices.accepted, last_at: notices.accepted_at?.toISOString() ?? null, items: notices.accepted_items },
          refused: { count: notices.refused, last_at: notices.refused_at?.toISOString() ?? null },
        },
      }
    },
  )
  app.post(
    '/webhook/setup/secret',
    {
      onRequest: allow('admin'),
      schema: {
        tags,
        summary: 'Make a new secret for the notices of Zoho; it is shown in this answer only',
        response: { 201: WebhookSecretAnswer },
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
      onRequest: allow('operator'),
      schema: {
        tags,
        summary: 'Send a signed notice to the address that Zoho is told, from here',
        response: { 200: WebhookTestAnswer },
      },
    },
    async () => ({ status: 'success' as const, data: await connect.testWebhook() }),
  )
}

/** A name may lead anywhere; an address of this machine or of a private network is out of Zoho's reach. */
function mayBePublic(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '')
  return isIP(address) === 0 ? address !== 'localhost' && address.includes('.') : isPublicAddress(address)
}
