import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { matchesIfNoneMatch } from '../conditional-requests.ts'

const BUILT = join(import.meta.dirname, '../../../dist/downloads/zinc-edge.js')

/**
 * What a machine without zinc downloads from head office: the edge client as one file, with its
 * hash. It contains no secret.
 */
export const downloadRoutes: FastifyPluginAsyncZod = async (app) => {
  let built: Promise<{ body: Buffer; sha256: string }> | undefined
  const read = async () => {
    const body = await readFile(BUILT)
    return { body, sha256: createHash('sha256').update(body).digest('hex') }
  }
  app.get(
    '/downloads/zinc-edge.js',
    {
      config: { public: true, limited: true, produces: ['text/javascript'] },
      schema: {
        tags: ['photo sync'],
        operationId: 'downloadEdgeClient',
        summary: 'Download the edge client as a single file for Node.js',
        description: 'Run it with `node zinc-edge.js pull --help`. `X-Checksum-Sha256` is the SHA-256 of the file.',
        response: { 304: z.unknown() },
      },
    },
    async (request, reply) => {
      built ??= read()
      const { body, sha256 } = await built
      const etag = `"${sha256}"`
      reply.header('cache-control', 'public, no-cache').header('etag', etag).header('x-checksum-sha256', sha256)
      if (matchesIfNoneMatch(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return reply
        .header('content-type', 'text/javascript; charset=utf-8')
        .header('content-disposition', 'attachment; filename="zinc-edge.js"')
        .send(body as never)
    },
  )
}
