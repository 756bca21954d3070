import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { Backups } from '../../backup/backups.ts'
import { BackupQueuedResponse, BackupScheduleBody, BackupScheduleResponse, BackupsResponse } from '../../schemas/backups.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'

const tags = ['backups']

/** `/api/backups`: backups by the clock, their outcomes, and starting one. */
export const backupRoutes: FastifyPluginAsyncZod<{ backups: Backups }> = async (app, { backups }) => {
  app.get(
    '/',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'getBackups',
        summary: 'Return the backup schedule and the newest backups and rehearsals',
        response: { 200: BackupsResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await backups.list() }),
  )
  app.put(
    '/schedule',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'changeBackupSchedule',
        summary: 'Change when and where backups are made, how many are kept, and when to warn',
        body: BackupScheduleBody,
        response: { 200: BackupScheduleResponse },
      },
    },
    async (request) => ({ status: 'success' as const, data: await backups.change(request.body, actorOf(request)) }),
  )
  for (const [url, kind, operationId, summary] of [
    ['/', 'backup', 'startBackup', 'Make a backup now'],
    ['/rehearse', 'rehearsal', 'startRehearsal', 'Restore the newest backup into a scratch database and compare digests'],
  ] as const) {
    app.post(
      url,
      { onRequest: requireRole('admin'), schema: { tags, operationId, summary, response: { 202: BackupQueuedResponse } } },
      async (request, reply) => reply.code(202).send({ status: 'queued', id: await backups.start(kind, actorOf(request)) }),
    )
  }
}
