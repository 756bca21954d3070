import type { z } from 'zod'
import type { Database } from '../database/client.ts'
import type { ScopesResponse } from '../schemas/connection.ts'
import { enabledModules, MODULES } from '../settings/modules.ts'
import type { ConnectionStateStore } from './connection-state.ts'
import { hasScope, SCOPES } from './scopes.ts'

type ModuleScopes = z.infer<typeof ScopesResponse>['data']['modules']

/** What each module needs, and whether it is granted: as the last test found it, else as Zoho named the scopes with the newest token. */
export async function scopesOf(db: Database, { connection }: { connection: ConnectionStateStore }): Promise<ModuleScopes> {
  const enabled = await enabledModules(db)
  const tested = await connection.testedScopes()
  const token = await db.zohoToken.findFirst({ orderBy: { issued_at: { sort: 'desc', nulls: 'last' } }, select: { scope: true } })
  return MODULES.map(({ slug, name }) => ({
    slug,
    name,
    enabled: enabled.get(slug) ?? false,
    scopes: SCOPES[slug].map(({ scope, reads }) => ({ scope, reads, granted: tested[scope] ?? hasScope(token?.scope ?? null, scope) })),
  }))
}
