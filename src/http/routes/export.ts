import { Readable } from 'node:stream'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { ZipFile } from 'yazl'
import { z } from 'zod'
import { exportProducts } from '../../catalog/export.ts'
import type { Database } from '../../database/client.ts'
import type { BlobStore } from '../../images/storage/blob-store.ts'
import { formatCsvRow } from '../../lib/format-csv.ts'
import { EXPORT_COLUMNS, ExportQuery, ExportRecord } from '../../schemas/export.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

export interface ExportDeps {
  db: Database
  store: BlobStore
}

/** `GET /export`: the whole catalogue, streamed; it ends when the client disconnects. */
export const exportRoutes: FastifyPluginAsyncZod<ExportDeps> = async (app, { db, store }) => {
  app.get(
    '/export',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'exports:read', produces: ['text/csv', 'application/zip'] },
      schema: {
        tags: ['sync'],
        operationId: 'exportProducts',
        summary:
          'Export items as JSON or CSV, or as a ZIP with their images; the JSON can be imported with source=file, the ZIP as an image import',
        querystring: ExportQuery,
        response: { 200: z.array(ExportRecord) },
      },
    },
    async (request, reply) => {
      const { query } = request
      await recordAudit(db, { ...actorOf(request), action: 'catalog.export', target: `catalog.${query.format}` })
      const signal = requestSignal(reply)
      const name = `zinc-items-${new Date().toISOString().slice(0, 10)}`
      reply.header('cache-control', 'no-store').header('content-disposition', `attachment; filename="${name}.${query.format}"`)
      if (query.format === 'csv') return reply.type('text/csv; charset=utf-8').send(Readable.from(csv(db, signal)) as never)
      if (query.format === 'json') return reply.type('application/json; charset=utf-8').send(Readable.from(json(db, signal)) as never)
      return reply.type('application/zip').send(zip({ db, store }, signal) as never)
    },
  )
}

async function* json(db: Database, signal: AbortSignal): AsyncGenerator<string> {
  let before = '[\n'
  for await (const page of exportProducts(db, signal)) {
    yield before + page.map(({ record }) => JSON.stringify(record)).join(',\n')
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

async function* csv(db: Database, signal: AbortSignal): AsyncGenerator<string> {
  // The byte order mark makes spreadsheets read Arabic names as UTF-8.
  yield `\uFEFF${formatCsvRow(EXPORT_COLUMNS)}`
  for await (const page of exportProducts(db, signal)) yield page.map(({ cells }) => formatCsvRow(cells)).join('')
}

/**
 * Returns a ZIP of `items.json` and all images, the primary ones under the paths in its records:
 * the image import accepts it as it is. An image without its file is left out; its record stays.
 */
function zip({ db, store }: ExportDeps, signal: AbortSignal): Readable {
  const file = new ZipFile()
  const out = new Readable().wrap(file.outputStream)
  file.on('error', (error: Error) => out.destroy(error))
  const add = async () => {
    file.addReadStream(Readable.from(json(db, signal)), 'items.json')
    for await (const page of exportProducts(db, signal)) {
      for (const { path, sha256, size, at } of page.flatMap(({ images }) => images)) {
        if ((await store.sizeOf('originals', sha256)) !== size) continue
        // Opened only when it is written: a catalogue has more images than a process may have open
        // files. They are compressed already.
        file.addReadStreamLazy(path, { size, mtime: at, compress: false }, (opened) => {
          store.open('originals', sha256).then(
            ({ stream }) => opened(null, stream),
            (error: unknown) => opened(error, Readable.from([])),
          )
        })
      }
    }
    file.end()
  }
  add().catch((error: Error) => out.destroy(error))
  return out
}
