import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { ConnectionContext } from '../../connection/connection.ts'
import { maskSettings } from '../../connection/settings-view.ts'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { localTime, nextTimes } from '../../runs/cron.ts'
import type { Runs } from '../../runs/runs.ts'
import { ItemSyncResult } from '../../schemas/runs.ts'
import {
  ModuleCursorBody,
  ModuleSyncQuery,
  SchedulePreviewQuery,
  SchedulePreviewResponse,
  ZohoModuleBody,
  ZohoModuleResponse,
  ZohoModulesResponse,
  type ZohoSettings,
  ZohoSettingsBody,
  ZohoSettingsResponse,
} from '../../schemas/zoho-settings.ts'
import { itemSyncResult } from '../../sync/items/item-sync-result.ts'
import { ITEM_SYNC } from '../../sync/items/item-sync-run.ts'
import { runResult } from '../../sync/items/run-result.ts'
import type { ZohoModules } from '../../sync/modules/modules.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { sendRun } from '../run-response.ts'

export interface ZohoSettingsRoutes {
  db: Database
  clock: Clock
  runs: Runs
  connect: ConnectionContext
  modules: ZohoModules
}
const tags = ['settings']
const ModuleParam = z.object({ module: z.string().min(1).max(100) })

/**
 * The Zoho settings and the four modules. Admins and operators read, admins write, operators sync.
 */
export const zohoSettingsRoutes: FastifyPluginAsyncZod<ZohoSettingsRoutes> = async (app, { db, clock, runs, connect, modules }) => {
  async function settings(): Promise<{ status: 'success'; data: ZohoSettings }> {
    return { status: 'success', data: { ...(await maskSettings(connect)), modules: await modules.list() } }
  }

  app.get(
    '/',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'getZohoSettings',
        summary: 'Return the Zoho settings, with masked secrets, and the connection state',
        response: { 200: ZohoSettingsResponse },
      },
    },
    settings,
  )
  app.post(
    '/',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'changeZohoSettings',
        summary: 'Update Zoho settings; a masked secret is left unchanged, null deletes a stored value',
        body: ZohoSettingsBody,
        response: { 200: ZohoSettingsResponse },
      },
    },
    async (request) => {
      const { modules: requested = [], ...change } = request.body
      await connect.settings.change(change, actorOf(request), { also: await modules.changes(requested) })
      return settings()
    },
  )
  app.get(
    '/modules',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'listModules',
        summary: 'List the four modules with schedule, last successful sync and next run',
        response: { 200: ZohoModulesResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await modules.list() }),
  )
  app.get(
    '/modules/:module',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'getModule',
        summary: 'Return one module, by name or slug',
        params: ModuleParam,
        response: { 200: ZohoModuleResponse },
      },
    },
    async ({ params }) => ({ status: 'success' as const, data: await modules.one(params.module) }),
  )
  app.patch(
    '/modules/:module',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'changeModule',
        summary: 'Turn a module on or off, or set its schedules (five-field cron in the shop’s time zone; null turns it off)',
        params: ModuleParam,
        body: ZohoModuleBody,
        response: { 200: ZohoModuleResponse },
      },
    },
    async (request) => ({
      status: 'success' as const,
      data: await modules.change(request.params.module, request.body, actorOf(request)),
    }),
  )
  app.put(
    '/modules/:module/cursor',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'moveModuleCursor',
        summary: 'Move the sync start of a module back, so that the next sync reads from there; null reads everything',
        params: ModuleParam,
        body: ModuleCursorBody,
        response: { 200: ZohoModuleResponse },
      },
    },
    async (request) => {
      const { up_to: upTo } = request.body
      return {
        status: 'success' as const,
        data: await modules.moveCursor(request.params.module, upTo === null ? null : new Date(upTo), actorOf(request)),
      }
    },
  )
  app.post(
    '/modules/:module/sync',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'syncs:run' },
      schema: {
        tags: ['sync'],
        operationId: 'syncModule',
        summary: 'Sync a module now; responds when it has finished, or immediately with wait=false',
        params: ModuleParam,
        querystring: ModuleSyncQuery,
        response: { 200: ItemSyncResult, 202: z.object({ status: z.literal('queued'), run_id: z.uuid() }) },
      },
    },
    async (request, reply) => {
      const { wait, ...choice } = request.query
      const { run_id, kind } = await modules.start(request.params.module, choice, requireIdentity(request).username)
      const result = kind === ITEM_SYNC ? itemSyncResult : runResult
      return sendRun(reply, runs, { runId: run_id, wait, result: (run) => result(db, run) }) as never
    },
  )
  app.get(
    '/schedule/preview',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'previewSchedule',
        summary: 'Preview the next run times of a cron expression in the shop’s time zone',
        querystring: SchedulePreviewQuery,
        response: { 200: SchedulePreviewResponse },
      },
    },
    async ({ query: { cron, count } }) => {
      const zone = await modules.zone()
      const next = nextTimes(cron, { zone, from: clock.now(), count }).map((at) => ({ at: at.toISOString(), local: localTime(at, zone) }))
      return { status: 'success' as const, data: { cron, time_zone: zone, next } }
    },
  )
}
