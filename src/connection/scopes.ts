import type { z } from 'zod'
import type { Database } from '../database/client.ts'
import { BOOKS_MODULES, type BooksModule } from '../facts/books-modules.ts'
import type { ScopesResponse } from '../schemas/connection.ts'
import type { ModuleSlug } from '../settings/modules.ts'
import { enabledModules, MODULES } from '../settings/modules.ts'
import type { ConnectionStateStore } from './connection-state.ts'

export interface Scope {
  scope: string
  /** What zinc reads with it, in words. */
  reads: string
  /** The smallest read that shows whether it is granted. */
  probe: { path: string; query?: Record<string, string>; organization?: boolean }
}

const one = (path: string) => ({ path, query: { per_page: '1', page: '1' } })

/**
 * Returns what the bulk pull needs of Books or Invoice, each scope once however many modules need
 * it.
 */
function pullScopes(product: string, base: string, modules: readonly BooksModule[]): Scope[] {
  const byScope = Map.groupBy(modules, (it) => it.scope)
  return [...byScope].map(([scope, some]) => ({
    scope: `${product}.${scope}.READ`,
    reads: some.map((it) => it.name).join(', '),
    probe: one(`${base}/${some[0]!.name}`),
  }))
}
const crm = (module: string): Scope => ({
  scope: `ZohoCRM.modules.${module.toLowerCase()}.READ`,
  reads: `${module}, and which of them were deleted`,
  probe: { path: `/crm/v8/${module}`, query: { fields: 'id', per_page: '1' }, organization: false },
})

/**
 * The exact scopes, with least privilege: only READ. In Books items belong to the settings scope;
 * there is none for items alone.
 */
export const SCOPES: Record<ModuleSlug, Scope[]> = {
  crm: [
    ...['Contacts', 'Accounts', 'Leads', 'Products', 'Deals'].map(crm),
    {
      scope: 'ZohoCRM.settings.fields.READ',
      reads: 'which fields the CRM modules have',
      probe: { path: '/crm/v8/settings/fields', query: { module: 'Contacts' }, organization: false },
    },
  ],
  books: pullScopes('ZohoBooks', '/books/v3', BOOKS_MODULES),
  inventory: [
    { scope: 'ZohoInventory.items.READ', reads: 'items and their images', probe: one('/inventory/v1/items') },
    {
      scope: 'ZohoInventory.settings.READ',
      reads: 'the organization with its currency and time zone',
      probe: { path: '/inventory/v1/organizations', organization: false },
    },
  ],
  invoice: pullScopes(
    'ZohoInvoice',
    '/invoice/v3',
    BOOKS_MODULES.filter((it) => it.invoice),
  ),
}

/**
 * Whether Zoho's list of granted scopes, as in the token response, includes one; null when there is
 * no list.
 */
export function hasScope(granted: string | null, scope: string): boolean | null {
  const have = new Set((granted ?? '').toLowerCase().split(/[\s,]+/))
  if (have.size === 1 && have.has('')) return null
  const parts = scope.toLowerCase().split('.')
  const [product, group] = parts
  const operation = parts.at(-1)
  const wider = [
    `${product}.fullaccess.all`,
    `${product}.${group}.all`,
    `${product}.${group}.${operation}`,
    `${parts.slice(0, -1).join('.')}.all`,
  ]
  return have.has(scope.toLowerCase()) || wider.some((it) => have.has(it))
}

type ModuleScopes = z.infer<typeof ScopesResponse>['data']['modules']

/**
 * Returns what each module needs, and whether it is granted: as the last test found it, otherwise
 * by the scopes that came with the newest token.
 */
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
