import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import { BadRequestError, NotFoundError } from '../../lib/errors.ts'
import { parseTimestamp } from '../../lib/parse-timestamp.ts'
import { EXPORT_FORMATS, type ExportFormat, type ExportSource, openExport, readExportName } from '../../pulls/files/export.ts'
import { listRecords, type StoredRecord } from '../../pulls/records/query.ts'
import type { RecordScope } from '../../pulls/records/upsert.ts'
import { PULL_MODULES, ZohoRecordResponse } from '../../schemas/pulls.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

const tags = ['records']
const APPS = ['books', 'invoice', 'inventory', 'crm'] as const
const Module = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,99}$/, 'is not the name of a module')
const Query = z.object({
  search: z.string().max(200).optional(),
  modified_since: z.string().max(60).optional(),
  include_deleted: z.stringbool().default(false),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
type Query = z.infer<typeof Query>

const RecordsResponse = z.object({ status: z.literal('success'), data: z.array(ZohoRecordResponse), next_cursor: z.string().nullable() })

const Position = z.tuple([z.iso.datetime().nullable(), z.string()])

function readPosition(cursor: string): { modified_at: Date | null; record_id: string } {
  try {
    const [at, record_id] = Position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    return { modified_at: at === null ? null : new Date(at), record_id }
  } catch (cause) {
    throw new BadRequestError('invalid_cursor', {}, { cause })
  }
}
const writePosition = ({ modified_at, record_id }: StoredRecord): string =>
  Buffer.from(JSON.stringify([modified_at?.toISOString() ?? null, record_id])).toString('base64url')

/**
 * Returns the record as Zoho wrote it, digit for digit, with zinc's data in a last member: parsing
 * and serializing it would round long numbers.
 */
function withNote({ raw, record_id, modified_at, deleted_at }: StoredRecord): string {
  const note = JSON.stringify({
    record_id,
    modified_at: modified_at?.toISOString() ?? null,
    deleted_at: deleted_at?.toISOString() ?? null,
  })
  const open = raw.trimEnd().slice(0, -1).trimEnd()
  return `${open}${open.endsWith('{') ? '' : ','}"zinc":${note}}`
}

const MEDIA_TYPES: Record<ExportFormat, string> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
}

/** Throws NotFoundError `module_not_found`, `no_data`. */
async function findSource(db: Database, app: RecordScope['app'], name: string): Promise<ExportSource> {
  const known = readExportName(name)
  if (app === 'books' && !known) throw new NotFoundError('module_not_found.books', { module: name, modules: readExportName.names })
  const source = { app, module: known?.module.name ?? name, lineItems: known?.lineItems ?? false }
  if (!(await db.zohoRecord.findFirst({ where: { app, module: source.module }, select: { record_id: true } })))
    throw new NotFoundError('no_data')
  return source
}

/** Records of Zoho's modules as they were pulled, in the order of modification. */
export const zohoRecordRoutes: FastifyPluginAsyncZod<{ db: Database }> = async (app, { db }) => {
  async function response(scope: RecordScope, query: Query, reply: FastifyReply) {
    if (scope.app === 'books' && !PULL_MODULES.some((name) => name === scope.module))
      throw new NotFoundError('module_not_found.books', { module: scope.module, modules: PULL_MODULES })
    const rows = await listRecords(db, scope, {
      search: query.search,
      modifiedSince: query.modified_since === undefined ? undefined : parseTimestamp('modified_since', query.modified_since),
      includeDeleted: query.include_deleted,
      after: query.cursor ? readPosition(query.cursor) : undefined,
      limit: query.limit + 1,
    })
    const page = rows.slice(0, query.limit)
    const last = page.at(-1)
    const next = rows.length > page.length && last ? JSON.stringify(writePosition(last)) : 'null'
    return reply
      .type('application/json; charset=utf-8')
      .serializer((body: unknown) => body as string)
      .send(`{"status":"success","data":[${page.map(withNote).join(',')}],"next_cursor":${next}}` as never)
  }

  app.get(
    '/:app/:module',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'records:read' },
      schema: {
        tags,
        operationId: 'listRecords',
        summary: 'List records of a module as Zoho returned them; `zinc` adds record_id, modified_at and deleted_at to each',
        params: z.object({ app: z.enum(APPS), module: Module }),
        querystring: Query,
        response: { 200: RecordsResponse },
      },
    },
    async ({ params, query }, reply) => response(params, query, reply),
  )
  app.get(
    '/:app/:module/export',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'exports:read', produces: ['text/csv', 'application/x-ndjson', 'application/vnd.apache.parquet'] },
      schema: {
        tags,
        operationId: 'exportRecords',
        summary: 'Export all records of a module; {module}_line_items are the line items of its documents',
        params: z.object({ app: z.enum(APPS), module: Module }),
        querystring: z.object({ format: z.enum(EXPORT_FORMATS).default('json') }),
        response: { 200: z.array(z.looseObject({})) },
      },
    },
    async (request, reply) => {
      const { app, module } = request.params
      const { format } = request.query
      const source = await findSource(db, app, module)
      await recordAudit(db, { ...actorOf(request), action: 'pull.export', target: `pull.${app}.${source.module}` })
      const stream = await openExport(db, source, format)
      requestSignal(reply).addEventListener('abort', () => stream.destroy())
      return reply
        .type(MEDIA_TYPES[format])
        .header('cache-control', 'no-store')
        .header('content-disposition', `attachment; filename="zinc-${module}.${format}"`)
        .send(stream as never)
    },
  )
  app.get(
    '/:module',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'records:read' },
      schema: {
        tags,
        operationId: 'listBooksRecords',
        summary: 'List records of a Books module',
        params: z.object({ module: Module }),
        querystring: Query,
        response: { 200: RecordsResponse },
      },
    },
    async ({ params, query }, reply) => response({ app: 'books', module: params.module }, query, reply),
  )
}
