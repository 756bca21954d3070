import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { z } from 'zod'
import { hiddenFields, readsHiddenFields, setReadsHiddenFields } from '../../catalog/custom-fields.ts'
import { changeFieldRules, type FieldRules, readFieldRules, rulesChangedAt } from '../../catalog/field-mapping.ts'
import type { ConnectionContext } from '../../connection/connection.ts'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { ConflictError } from '../../lib/errors.ts'
import { MappedField } from '../../schemas/item-fields.ts'
import { MappingBody, MappingPreviewBody, MappingPreviewResponse, MappingResponse } from '../../schemas/mapping.ts'
import { previewMapping } from '../../sync/items/mapping-preview.ts'
import { fieldSources } from '../../sync/items/read-fields.ts'
import type { ZohoModules } from '../../sync/modules/modules.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

export interface MappingDeps {
  db: Database
  clock: Clock
  connect: Pick<ConnectionContext, 'open' | 'knownOrganization'>
  modules: Pick<ZohoModules, 'start'>
}

const tags = ['mapping']

export const fieldMappingRoutes: FastifyPluginAsyncZod<MappingDeps> = async (app, { db, clock, connect, modules }) => {
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
        hidden_fields: await readsHiddenFields(db),
        hidden_custom_fields: await hiddenFields(db),
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
    async (request) => {
      const { hidden_fields: hidden, ...changes } = request.body
      const by = actorOf(request)
      const rules = await changeFieldRules(db, changes, { by, at: clock.now(), sources: fieldSources })
      if (hidden !== undefined && (await db.$transaction((tx) => setReadsHiddenFields(tx, hidden, { by, at: clock.now() }))) && hidden) {
        // Where it cannot start now, the next sync is followed by it.
        await modules.start('inventory', { only: 'stock' }, requireIdentity(request).username).catch((error: unknown) => {
          if (!(error instanceof ConflictError)) throw error
        })
      }
      return shown(rules)
    },
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
