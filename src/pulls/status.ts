import type { Database } from '../database/client.ts'

/**
 * Returns when each module was last pulled, how many images exist, and what is left of the day's
 * quota.
 */
export async function findStatus(db: Database, organization: string | null) {
  const pulled = await db.pullModule.findMany({ orderBy: [{ app: 'asc' }, { module: 'asc' }] })
  const counts = await db.zohoRecord.groupBy({ by: ['app', 'module'], where: { deleted_at: null }, _count: true })
  const budget = organization === null ? null : await db.zohoRateLimit.findUnique({ where: { organization } })
  const requested = { deleted_at: null, zoho_image_id: { not: null } }
  return {
    pulled: pulled.map(({ app, module, up_to, succeeded_at }) => ({
      app,
      module,
      up_to: up_to?.toISOString() ?? null,
      succeeded_at: succeeded_at?.toISOString() ?? null,
      records: counts.find((it) => it.app === app && it.module === module)?._count ?? 0,
    })),
    pictures: {
      stored: await db.product.count({ where: { ...requested, image_state: 'stored' } }),
      wanted: await db.product.count({ where: requested }),
    },
    quota:
      budget?.day_left == null
        ? null
        : { limit: budget.day_limit, left: budget.day_left, resets_at: budget.day_resets_at?.toISOString() ?? null },
  }
}
