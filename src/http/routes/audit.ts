import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { Database } from '../../database/client.ts'
import { BadRequestError } from '../../lib/errors.ts'
import { AuditQuery, AuditResponse } from '../../schemas/audit.ts'
import { listAudit } from '../../settings/audit-log.ts'
import { requireRole } from '../plugins/authentication.ts'

export const auditRoutes: FastifyPluginAsyncZod<{ db: Database }> = async (app, { db }) => {
  app.get(
    '/audit',
    {
      onRequest: requireRole('operator'),
      schema: {
        tags: ['settings'],
        summary: 'Who changed what, when; newest first',
        querystring: AuditQuery,
        response: { 200: AuditResponse },
      },
    },
    async ({ query: { cursor, ...filter } }) => {
      const rows = await listAudit(db, {
        ...filter,
        before: cursor === undefined ? undefined : readEntryId(cursor),
        limit: filter.limit + 1,
      })
      const page = rows.slice(0, filter.limit)
      return {
        status: 'success' as const,
        data: page.map(({ id, at, ...entry }) => ({ ...entry, id: String(id), at: at.toISOString() })),
        next_cursor: rows.length > page.length ? String(page.at(-1)?.id) : null,
      }
    },
  )
}

function readEntryId(cursor: string): bigint {
  if (/^\d{1,18}$/.test(cursor)) return BigInt(cursor)
  throw new BadRequestError('invalid_cursor')
}
