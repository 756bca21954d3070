import type { Db } from '../../database/client.ts'
import type { Prisma } from '../../generated/client.ts'
import { BadRequestError } from '../../lib/errors.ts'
import { modulesOf } from '../../pulls/checkpoint.ts'
import type { ModuleSelection } from '../../schemas/zoho-settings.ts'
import type { ModuleSlug } from '../../settings/modules.ts'

/** What can be selected for each module, with the defaults. */
const DEFAULTS: Record<ModuleSlug, ModuleSelection> = {
  inventory: { sync_images: true, modules: null, line_items: null },
  books: { sync_images: null, modules: null, line_items: true },
  invoice: { sync_images: null, modules: null, line_items: true },
  crm: { sync_images: null, modules: null, line_items: null },
}

/** The modules of Books and Invoice that a pull can read. */
export const offeredBy = (slug: ModuleSlug): string[] =>
  slug === 'books' || slug === 'invoice' ? modulesOf({ app: slug }).map(({ name }) => name) : []

export async function readSelection(db: Db, slug: ModuleSlug): Promise<ModuleSelection> {
  const row = await db.zohoModule.findUnique({ where: { slug }, select: { selection: true } })
  return { ...DEFAULTS[slug], ...(row?.selection as Partial<ModuleSelection> | null) }
}

/** Returns whether anything changed. Throws BadRequestError `invalid_selection`. */
export async function changeSelection(
  tx: Db,
  slug: ModuleSlug,
  change: { [Key in keyof ModuleSelection]?: ModuleSelection[Key] | undefined },
  { enabled }: { enabled: boolean },
): Promise<boolean> {
  const before = await readSelection(tx, slug)
  const offered = offeredBy(slug)
  const unknown = change.modules?.find((name) => !offered.includes(name))
  if (change.modules?.length === 0 || unknown !== undefined)
    throw unknown === undefined
      ? new BadRequestError('invalid_selection.none', { offered })
      : new BadRequestError('invalid_selection', { module: unknown, offered })
  const after: ModuleSelection = {
    sync_images: before.sync_images === null ? null : (change.sync_images ?? before.sync_images),
    line_items: before.line_items === null ? null : (change.line_items ?? before.line_items),
    modules: change.modules === undefined ? before.modules : change.modules && offered.filter((name) => change.modules?.includes(name)),
  }
  if (JSON.stringify(after) === JSON.stringify(before)) return false
  await tx.zohoModule.upsert({ where: { slug }, create: { slug, enabled, selection: after }, update: { selection: after } })
  return true
}

/** Returns the selection as the parameters of the module's runs. */
export function selectionParams(slug: ModuleSlug, { sync_images, modules, line_items }: ModuleSelection): Prisma.InputJsonObject {
  if (slug === 'inventory') return { sync_images: sync_images ?? true }
  if (slug === 'crm') return {}
  return { ...(modules && { modules }), line_items: line_items ?? true }
}
