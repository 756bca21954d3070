import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { Database } from '../../database/client.ts'
import { inEnglish } from '../../messages/say.ts'
import type { NotificationTest } from '../../notifications/send-test.ts'
import {
  DeliveryFailure,
  NotificationKind,
  type Notifications,
  NotificationsBody,
  NotificationsResponse,
  NotificationsTestResponse,
} from '../../schemas/notifications.ts'
import { type NotificationStore, shownAddress } from '../../settings/notification-settings.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'

const tags = ['notifications']
const RECENT = 20

export const notificationRoutes: FastifyPluginAsyncZod<{ db: Database; notifications: NotificationStore; test: NotificationTest }> = async (
  app,
  { db, notifications, test },
) => {
  async function response(): Promise<{ status: 'success'; data: Notifications }> {
    const { addresses, sources, silences, language } = await notifications.read()
    const recent = await db.notification.findMany({ orderBy: { id: 'desc' }, take: RECENT })
    return {
      status: 'success',
      data: {
        email: shownAddress('email', addresses.email),
        smtp_url: shownAddress('smtp_url', addresses.smtp_url),
        webhook_url: shownAddress('webhook_url', addresses.webhook_url),
        sources,
        ...silences,
        language,
        recent: recent.map(({ failure: stored, ...row }) => {
          const failure = DeliveryFailure.nullable().parse(stored)
          return {
            id: String(row.id),
            kind: NotificationKind.parse(row.kind),
            subject: row.subject,
            text: row.text,
            params: row.params as Record<string, unknown> | null,
            created_at: row.created_at.toISOString(),
            sent_at: row.sent_by.length > 0 ? (row.sent_at?.toISOString() ?? null) : null,
            attempts: row.attempts,
            error: failure && `${failure.channel}: ${inEnglish(failure).message}`,
            failure,
          }
        }),
      },
    }
  }

  app.get(
    '/notifications',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'getNotifications',
        summary: 'Return notification settings and recent notifications',
        response: { 200: NotificationsResponse },
      },
    },
    response,
  )
  app.put(
    '/notifications',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'changeNotifications',
        summary: 'Update notification settings; null clears a value',
        body: NotificationsBody,
        response: { 200: NotificationsResponse },
      },
    },
    async (request) => {
      await notifications.change(request.body, actorOf(request))
      return response()
    },
  )
  app.post(
    '/notifications/test',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'sendTestNotification',
        summary: 'Send a test notification through every configured channel',
        response: { 200: NotificationsTestResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await test() }),
  )
}
