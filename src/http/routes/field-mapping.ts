import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { z } from 'zod'
import { changeFieldRules, type FieldRules, readFieldRules, rulesChangedAt } from '../../catalog/field-mapping.ts'
import type { ConnectionContext } from '../../connection/connection.ts'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { MappedField } from '../../schemas/item-fields.ts'
import { MappingBody, MappingPreviewBody, MappingPreviewResponse, MappingResponse } from '../../schemas/mapping.ts'
import { fieldSources } from '../../sync/items/field-sources.ts'
import { previewMapping } from '../../sync/items/mapping-preview.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

export interface MappingDeps {
  db: Database
  clock: Clock
  connect: Pick<ConnectionContext, 'open' | 'knownOrganization'>
}

const tags = ['mapping']

export const fieldMappingRoutes: FastifyPluginAsyncZod<MappingDeps> = async (app, { db, clock, connect }) => {
  async function shown(rules: FieldRules): Promise<z.infer<typeof MappingResponse>> {
    const custom = await db.$queryRaw<{ key: string }[]>`
      select distinct jsonb_object_keys(custom_fields) as key from (
        select custom_fields from product where deleted_at is null and custom_fields <> '{}' order by created_at desc, id desc limit 1000) p order by 1`
    return {
      status: 'success',
      data: {
        fields: MappedField.options.map((field) => ({
          field,
          source: rules.get(field)?.source ?? fieldSources.defaultOf(field),
          owner: rules.get(field)?.owner ?? 'zoho',
          default_source: fieldSources.defaultOf(field),
          default_owner: 'zoho',
          source_editable: fieldSources.isEditable(field),
        })),
        sources: [...fieldSources.all, ...custom.map(({ key }) => key).filter((key) => fieldSources.isSource(key))],
        is_default: rules.size === 0,
        changed_at: (await rulesChangedAt(db))?.toISOString() ?? null,
      },
    }
  }

  app.get(
    '/mapping',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'getFieldMapping',
        summary: 'Return the mapping of Zoho fields to product fields, and the owner of each',
        response: { 200: MappingResponse },
      },
    },
    async () => shown(await readFieldRules(db)),
  )
  app.put(
    '/mapping',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'changeFieldMapping',
        summary: 'Update sources and owners of fields, or reset them to the default; a full sync then updates every product',
        body: MappingBody,
        response: { 200: MappingResponse },
      },
    },
    async (request) => shown(await changeFieldRules(db, request.body, { by: actorOf(request), at: clock.now(), sources: fieldSources })),
  )
  app.post(
    '/mapping/preview',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'previewFieldMapping',
        summary: 'Preview the mapping, with these changes, on a real Zoho item; saves nothing',
        body: MappingPreviewBody,
        response: { 200: MappingPreviewResponse },
      },
    },
    async (request, reply) => {
      const currency = (await connect.knownOrganization())?.currency ?? null
      const data = await previewMapping({ db, zoho: await connect.open(), currency }, request.body, requestSignal(reply))
      return { status: 'success' as const, data }
    },
  )
}
