import type { Database, Db } from '../../database/client.ts'
import { BadRequestError, ConflictError } from '../../lib/errors.ts'
import { UNFINISHED } from '../../runs/runs.ts'
import type { ModuleSlug } from '../../settings/modules.ts'
import { CRM_WATERMARKS } from '../crm/crm-sync-run.ts'
import { WATERMARK } from '../items/sync-from-api.ts'

/** Where a module's own watermarks are. */
const watermarksOf = (slug: 'inventory' | 'crm') => (slug === 'inventory' ? { name: WATERMARK } : { name: { startsWith: CRM_WATERMARKS } })

/**
 * Returns the modified time up to which a module is known: that of its part that is furthest
 * behind. Null: its next sync reads everything.
 */
export async function readCursor(db: Db, slug: ModuleSlug): Promise<Date | null> {
  const where = { full_at: { not: null }, up_to: { not: null } }
  const { _min } =
    slug === 'inventory' || slug === 'crm'
      ? await db.watermark.aggregate({ where: { ...where, ...watermarksOf(slug) }, _min: { up_to: true } })
      : await db.pullModule.aggregate({ where: { ...where, app: slug }, _min: { up_to: true } })
  return _min.up_to
}

/**
 * Moves a module's cursor back, or with null to the beginning: the next sync reads again what was
 * modified since. Never forward, since what lies between would never be read. Throws ConflictError
 * `sync_running`, BadRequestError `cursor_ahead`.
 */
export async function moveCursor(db: Database, slug: ModuleSlug, { kind, upTo }: { kind: string; upTo: Date | null }): Promise<void> {
  const running = await db.run.findFirst({ where: { kind, state: { in: UNFINISHED } }, select: { id: true } })
  if (running) {
    throw new ConflictError('sync_running.watermark', { run_id: running.id })
  }
  await db.$transaction(async (tx) => {
    const now = await readCursor(tx, slug)
    if (upTo !== null && (now === null || upTo > now)) throw new BadRequestError('cursor_ahead', { now: now?.toISOString() ?? null })
    const mine = slug === 'inventory' || slug === 'crm' ? watermarksOf(slug) : null
    if (upTo === null) {
      // Without a full pass the next sync is a full one.
      if (mine) await tx.watermark.updateMany({ where: mine, data: { full_at: null } })
      else await tx.pullModule.updateMany({ where: { app: slug }, data: { full_at: null } })
      return
    }
    const later = { up_to: { gt: upTo } }
    if (mine) await tx.watermark.updateMany({ where: { ...mine, ...later }, data: { up_to: upTo } })
    else await tx.pullModule.updateMany({ where: { app: slug, ...later }, data: { up_to: upTo } })
  })
}
