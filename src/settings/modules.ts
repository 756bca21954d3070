import type { Db } from '../database/client.ts'
import { NotFoundError } from '../lib/errors.ts'

export type ModuleSlug = 'crm' | 'books' | 'inventory' | 'invoice'

export interface Module {
  slug: ModuleSlug
  name: string
  description: string
  enabledByDefault: boolean
  /**
   * The page's suggestions. Stock changes may not update an item's modified time, hence the full
   * syncs.
   */
  suggested: { schedule: string; full_schedule: string }
}

export const MODULES: readonly Module[] = [
  {
    slug: 'crm',
    name: 'Zoho CRM',
    description: 'Contacts, accounts, leads, products and deals, including deletions',
    enabledByDefault: true,
    suggested: { schedule: '0 * * * *', full_schedule: '30 3 * * 0' },
  },
  {
    slug: 'books',
    name: 'Zoho Books',
    description: 'Invoices, bills, orders, payments, contacts and items, with line items',
    enabledByDefault: true,
    suggested: { schedule: '15 2 * * *', full_schedule: '30 2 1 * *' },
  },
  {
    slug: 'inventory',
    name: 'Zoho Inventory',
    description: 'Items with prices, stock and images',
    enabledByDefault: true,
    suggested: { schedule: '*/15 * * * *', full_schedule: '5 1,13 * * *' },
  },
  {
    slug: 'invoice',
    name: 'Zoho Invoice',
    description: 'Invoices, customers, payments and items of Zoho Invoice',
    enabledByDefault: false,
    suggested: { schedule: '45 2 * * *', full_schedule: '0 3 1 * *' },
  },
]

/** Finds a module by slug or name, in any case. Throws NotFoundError `module_not_found`. */
export function moduleOf(nameOrSlug: string): Module {
  const requested = nameOrSlug.trim().toLowerCase()
  const found = MODULES.find(({ slug, name }) => slug === requested || name.toLowerCase() === requested)
  if (!found) throw new NotFoundError('module_not_found', { modules: MODULES.map(({ slug, name }) => `${slug} (${name})`) })
  return found
}

export async function enabledModules(db: Db): Promise<Map<ModuleSlug, boolean>> {
  const rows = new Map((await db.zohoModule.findMany()).map((row) => [row.slug, row.enabled]))
  return new Map(MODULES.map(({ slug, enabledByDefault }) => [slug, rows.get(slug) ?? enabledByDefault]))
}

export async function setModuleEnabled(tx: Db, slug: ModuleSlug, enabled: boolean): Promise<void> {
  await tx.zohoModule.upsert({ where: { slug }, create: { slug, enabled }, update: { enabled } })
}
