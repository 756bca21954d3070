import { Readable } from 'node:stream'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { Database } from '../../database/client.ts'
import type { AuditEntry } from '../../generated/client.ts'
import { BadRequestError } from '../../lib/errors.ts'
import { formatCsvRow } from '../../lib/format-csv.ts'
import { parseTimestamp } from '../../lib/parse-timestamp.ts'
import { AuditQuery, AuditResponse } from '../../schemas/audit.ts'
import { listAudit, readAudit, recordAudit } from '../../settings/audit-log.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

const DAY_MS = 86_400_000
const CSV_COLUMNS = ['at', 'actor', 'action', 'target', 'fields', 'ip', 'request_id'] as const

export const auditRoutes: FastifyPluginAsyncZod<{ db: Database }> = async (app, { db }) => {
  app.get(
    '/audit',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'audit:read', produces: ['text/csv'] },
      schema: {
        tags: ['settings'],
        operationId: 'listAuditEntries',
        summary: 'List audit log entries, newest first, as JSON pages or one CSV file',
        querystring: AuditQuery,
        response: { 200: AuditResponse },
      },
    },
    async (request, reply) => {
      const { cursor, limit, format, from, to, ...names } = request.query
      const filter = {
        ...names,
        from: from === undefined ? undefined : parseTimestamp('from', from),
        to: to === undefined ? undefined : readEnd(to),
      }
      if (format === 'csv') {
        await recordAudit(db, { ...actorOf(request), action: 'audit.export', target: 'audit.csv' })
        const name = `zinc-audit-${new Date().toISOString().slice(0, 10)}.csv`
        reply.header('cache-control', 'no-store').header('content-disposition', `attachment; filename="${name}"`)
        return reply.type('text/csv; charset=utf-8').send(Readable.from(csv(readAudit(db, filter, requestSignal(reply)))) as never)
      }
      const before = cursor === undefined ? undefined : readEntryId(cursor)
      const rows = await listAudit(db, { ...filter, before, limit: limit + 1 })
      const page = rows.slice(0, limit)
      return {
        status: 'success' as const,
        data: page.map(({ id, at, ...entry }) => ({ ...entry, id: String(id), at: at.toISOString() })),
        next_cursor: rows.length > page.length ? String(page.at(-1)?.id) : null,
      }
    },
  )
}

async function* csv(pages: AsyncIterable<AuditEntry[]>): AsyncGenerator<string> {
  // The byte order mark makes spreadsheets read Arabic names as UTF-8.
  yield `\uFEFF${formatCsvRow(CSV_COLUMNS)}`
  for await (const page of pages)
    yield page.map(({ at, fields, ...it }) => csvRow({ ...it, at: at.toISOString(), fields: fields.join(' ') })).join('')
}

const csvRow = (entry: Record<(typeof CSV_COLUMNS)[number], string | null>) => formatCsvRow(CSV_COLUMNS.map((key) => entry[key]))

const readEnd = (text: string): Date => {
  const at = parseTimestamp('to', text)
  return /^\d{4}-\d{2}-\d{2}$/.test(text.trim()) ? new Date(at.getTime() + DAY_MS) : at
}

function readEntryId(cursor: string): bigint {
  if (/^\d{1,18}$/.test(cursor)) return BigInt(cursor)
  throw new BadRequestError('invalid_cursor')
}
