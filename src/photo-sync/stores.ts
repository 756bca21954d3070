import { isDeepStrictEqual } from 'node:util'
import type { Database, Db } from '../database/client.ts'
import { Prisma, type Store } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { BadRequestError, ConflictError, NotFoundError } from '../lib/errors.ts'
import { say } from '../messages/say.ts'
import type { Assortment, StoreBody, StorePatch, StoreWarning } from '../schemas/stores.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'
import { matchAssortment, NAME_FIELDS, unknownNames } from './match-assortment.ts'
import { publishStoreChange } from './publish-store-change.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Throws NotFoundError `store_not_found`, also for a malformed id. */
export async function findStore(db: Db, id: string): Promise<Store> {
  const store = UUID.test(id) ? await db.store.findUnique({ where: { id } }) : null
  if (!store) throw new NotFoundError('store_not_found')
  return store
}

/** Finds a store by id or by code, for the command line. Throws NotFoundError `store_not_found`. */
export const findStoreByName = async (db: Db, name: string): Promise<Store> =>
  (await db.store.findUnique({ where: { code: name } })) ?? findStore(db, name)

/**
 * Returns the assortment to store: without empty keys; null when none is left, which means
 * everything.
 */
export function normalizeAssortment(assortment: Assortment | null | undefined): Assortment | null {
  if (!assortment) return null
  const { skus, categories, in_stock } = assortment
  const saved: Assortment = { ...(skus && { skus }), ...(categories && { categories }), ...(in_stock && { in_stock }) }
  return Object.keys(saved).length === 0 ? null : saved
}

/**
 * An assortment change that removes more than this share and this number of a store's images needs
 * a confirmation.
 */
const MOST_REMOVED_SHARE = 0.2
const MOST_REMOVED = 100
/** Most names that a message lists. */
const MOST_NAMED = 20

/** What decides which images a store gets. */
interface Sold {
  assortment: unknown
  location_id: string | null
}

const sells = ({ assortment, location_id }: Sold): Prisma.Sql =>
  Prisma.sql`store_sells(${json(assortment)}::jsonb, feed_sku, feed_category, in_stock_in(${location_id}, feed_in_stock, feed_in_stock_at))`

/** Throws BadRequestError `unknown_location`: a misspelt one would leave the store empty. */
async function checkLocation(tx: Db, id: string | null): Promise<void> {
  if (id === null || (await tx.location.count({ where: { id } })) > 0) return
  const known = await tx.location.findMany({ where: { gone_at: null }, orderBy: { name: 'asc' }, take: MOST_NAMED })
  throw new BadRequestError('unknown_location', { id, known: known.map((it) => `${it.id} (${it.name})`) })
}

/**
 * Throws ConflictError `mass_delete_stopped` when another assortment would remove too many of a
 * store's images.
 */
async function refuseMassRemoval(tx: Db, store: Store, after: Sold): Promise<void> {
  const [row] = await tx.$queryRaw<{ images: number; removed: number }[]>`
    select count(*)::int as images,
      (count(*) filter (where not ${sells(after)}))::int as removed
    from photo where feed_live and ${sells({ assortment: store.assortment, location_id: store.location_id })}`
  const { images = 0, removed = 0 } = row ?? {}
  if (removed <= MOST_REMOVED || removed <= images * MOST_REMOVED_SHARE) return
  throw new ConflictError('mass_delete_stopped', { removed, images })
}

function changedFields(store: Store, patch: StorePatch, after: Sold & { variant: string | null }): string[] {
  const { code = store.code, name = store.name, paused = store.paused_at !== null } = patch
  const pairs: [string, unknown, unknown][] = [
    ['code', store.code, code],
    ['name', store.name, name],
    ['variant', store.variant, after.variant],
    ['assortment', normalizeAssortment(store.assortment as Assortment | null), after.assortment],
    ['location_id', store.location_id, after.location_id],
    ['paused', store.paused_at !== null, paused],
    ['rate_limit', store.rate_limit, patch.rate_limit === undefined ? store.rate_limit : patch.rate_limit],
    ['share', store.share, patch.share ?? store.share],
  ]
  return pairs.flatMap(([field, was, is]) => (isDeepStrictEqual(was, is) ? [] : [field]))
}

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
const jsonOrNull = (value: Assortment | null) => (value === null ? Prisma.DbNull : value)

export interface StoresDeps {
  db: Database
  clock: Clock
  /** Makes the next request check tokens again, after a store was deleted. */
  forgetTokens(): void
}

export type Stores = ReturnType<typeof createStores>

export function createStores({ db, clock, forgetTokens }: StoresDeps) {
  async function refuseTaken<T>(code: string | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002')) throw error
      throw new ConflictError('store_code_taken', { code: code ?? '' }, { cause: error })
    }
  }

  return {
    list: (): Promise<Store[]> => db.store.findMany({ orderBy: [{ created_at: 'asc' }, { id: 'asc' }] }),
    find: (id: string): Promise<Store> => findStore(db, id),

    /** Throws ConflictError `store_code_taken`, and `store_exists` for an id that is in use. */
    create: ({ id, code, name, variant, assortment, location_id = null, rate_limit, share }: StoreBody, by: Actor): Promise<Store> =>
      refuseTaken(code, () =>
        db.$transaction(async (tx) => {
          if (id !== undefined && (await tx.store.findUnique({ where: { id } }))) throw new ConflictError('store_exists', { id })
          await checkLocation(tx, location_id)
          const at = clock.now()
          const data = {
            ...(id !== undefined && { id }),
            code,
            name,
            variant: variant ?? null,
            assortment: jsonOrNull(await matchAssortment(tx, normalizeAssortment(assortment))),
            location_id,
            rate_limit: rate_limit ?? null,
            share: share ?? false,
            created_at: at,
            updated_at: at,
          }
          const store = await tx.store.create({ data })
          await recordAudit(tx, {
            ...by,
            action: 'store.create',
            target: `store:${code}`,
            fields: ['code', 'name', 'variant', 'assortment', 'location_id', 'rate_limit', 'share'],
          })
          return store
        }),
      ),

    /**
     * Returns what people should know of a store's assortment: SKUs and categories without
     * products.
     */
    async warnings(store: Store): Promise<StoreWarning[]> {
      const warnings: StoreWarning[] = []
      for (const field of NAME_FIELDS) {
        const names = (store.assortment as Assortment | null)?.[field]
        const unknown = names ? await unknownNames(db, field, names) : []
        if (unknown.length === 0) continue
        const code = `unknown_${field}` as const
        warnings.push({ code, parameter: `assortment.${field}`, message: say(code, { unknown }).message, unknown })
      }
      return warnings
    },

    /**
     * Another variant or assortment is visible in the feed immediately. Throws NotFoundError,
     * ConflictError `store_code_taken`, and `mass_delete_stopped` unless the removals are
     * confirmed.
     */
    change: (id: string, patch: StorePatch, by: Actor, { confirmRemovals = false }: { confirmRemovals?: boolean } = {}): Promise<Store> =>
      refuseTaken(patch.code, () =>
        db.$transaction(
          async (tx) => {
            const store = await findStore(tx, id)
            const after = {
              variant: patch.variant === undefined ? store.variant : patch.variant,
              // Stored values were parsed with the same schema when they were saved.
              assortment:
                patch.assortment === undefined
                  ? (store.assortment as Assortment | null)
                  : await matchAssortment(tx, normalizeAssortment(patch.assortment)),
              location_id: patch.location_id === undefined ? store.location_id : patch.location_id,
            }
            const fields = changedFields(store, patch, after)
            // An edit that changes nothing causes no new read and no audit entry.
            if (fields.length === 0) return store
            if (fields.includes('location_id')) await checkLocation(tx, after.location_id)
            if (!confirmRemovals && (fields.includes('assortment') || fields.includes('location_id')))
              await refuseMassRemoval(tx, store, after)
            await publishStoreChange(tx, store, after)
            await recordAudit(tx, { ...by, action: 'store.change', target: `store:${store.code}`, fields })
            return tx.store.update({
              where: { id: store.id },
              data: {
                ...(patch.code !== undefined && { code: patch.code }),
                ...(patch.name !== undefined && { name: patch.name }),
                variant: after.variant,
                assortment: jsonOrNull(after.assortment),
                location_id: after.location_id,
                ...(patch.rate_limit !== undefined && { rate_limit: patch.rate_limit }),
                ...(patch.share !== undefined && { share: patch.share }),
                ...(patch.paused !== undefined && { paused_at: patch.paused ? (store.paused_at ?? clock.now()) : null }),
                updated_at: clock.now(),
              },
            })
          },
          { timeout: 60_000, maxWait: 10_000 },
        ),
      ),

    /** Deletes its tokens and reports too. Returns the store as it was. */
    async remove(id: string, by: Actor): Promise<Store> {
      const gone = await db.$transaction(async (tx) => {
        const store = await findStore(tx, id)
        await recordAudit(tx, { ...by, action: 'store.delete', target: `store:${store.code}` })
        return tx.store.delete({ where: { id: store.id } })
      })
      forgetTokens()
      return gone
    },
  }
}
