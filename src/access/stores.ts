import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../clock.ts'
import type { Assortment, StoreBody, StorePatch } from '../contract/stores.ts'
import type { Database, Db } from '../db.ts'
import { Conflict, NotFound } from '../errors.ts'
import { Prisma, type Store } from '../generated/client.ts'
import { type Actor, recordAudit } from '../settings/audit.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Throws NotFound `store_not_found`, also for what is no id at all. */
export async function findStore(db: Db, id: string): Promise<Store> {
  const store = UUID.test(id) ? await db.store.findUnique({ where: { id } }) : null
  if (!store) throw new NotFound('store_not_found', 'Store not found', { remedy: 'GET /api/v1/stores lists them.' })
  return store
}

/** By id or by code, as people name it on the command line. Throws NotFound `store_not_found`. */
export const findStoreByName = async (db: Db, name: string): Promise<Store> =>
  (await db.store.findUnique({ where: { code: name } })) ?? findStore(db, name)

/** An assortment as it is kept: without keys that say nothing; null when nothing is left, since that sells everything. */
export function keptAssortment(assortment: Assortment | null | undefined): Assortment | null {
  if (!assortment) return null
  const { skus, categories, in_stock } = assortment
  const kept: Assortment = { ...(skus && { skus }), ...(categories && { categories }), ...(in_stock && { in_stock }) }
  return Object.keys(kept).length === 0 ? null : kept
}

function changedFields(store: Store, patch: StorePatch, after: { variant: string | null; assortment: Assortment | null }): string[] {
  const { code = store.code, name = store.name, paused = store.paused_at !== null } = patch
  const pairs: [string, unknown, unknown][] = [
    ['code', store.code, code],
    ['name', store.name, name],
    ['variant', store.variant, after.variant],
    ['assortment', keptAssortment(store.assortment as Assortment | null), after.assortment],
    ['paused', store.paused_at !== null, paused],
  ]
  return pairs.flatMap(([field, was, is]) => (isDeepStrictEqual(was, is) ? [] : [field]))
}

const jsonOrNull = (value: Assortment | null) => (value === null ? Prisma.DbNull : value)

export interface StoresDeps {
  db: Database
  clock: Clock
  /** What the feed has to do before a store changes what it gets; in the same transaction. */
  beforeChange(tx: Db, store: Store, after: { variant: string | null; assortment: Assortment | null }): Promise<void>
  /** Tokens of a store that is gone are refused at the next request. */
  forgetTokens(): void
}

export type Stores = ReturnType<typeof createStores>

export function createStores({ db, clock, beforeChange, forgetTokens }: StoresDeps) {
  async function refuseTaken<T>(code: string | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002')) throw error
      throw new Conflict('store_code_taken', `There is a store ${code} already`, { cause: error, remedy: 'Choose another code.' })
    }
  }

  return {
    list: (): Promise<Store[]> => db.store.findMany({ orderBy: [{ created_at: 'asc' }, { id: 'asc' }] }),
    find: (id: string): Promise<Store> => findStore(db, id),

    /** Throws Conflict `store_code_taken`. */
    create: ({ code, name, variant, assortment }: StoreBody, by: Actor): Promise<Store> =>
      refuseTaken(code, () =>
        db.$transaction(async (tx) => {
          const at = clock.now()
          const data = {
            code,
            name,
            variant: variant ?? null,
            assortment: jsonOrNull(keptAssortment(assortment)),
            created_at: at,
            updated_at: at,
          }
          const store = await tx.store.create({ data })
          await recordAudit(tx, {
            ...by,
            action: 'store.create',
            target: `store:${code}`,
            fields: ['code', 'name', 'variant', 'assortment'],
          })
          return store
        }),
      ),

    /** Another variant or assortment shows in the feed at once. Throws NotFound, Conflict `store_code_taken`. */
    change: (id: string, patch: StorePatch, by: Actor): Promise<Store> =>
      refuseTaken(patch.code, () =>
        db.$transaction(
          async (tx) => {
            const store = await findStore(tx, id)
            const after = {
              variant: patch.variant === undefined ? store.variant : patch.variant,
              // What is kept was parsed by the same shape when it came.
              assortment: patch.assortment === undefined ? (store.assortment as Assortment | null) : keptAssortment(patch.assortment),
            }
            const fields = changedFields(store, patch, after)
            // What changes nothing is no change: nobody reads it again, and the audit does not speak of it.
            if (fields.length === 0) return store
            await beforeChange(tx, store, after)
            await recordAudit(tx, { ...by, action: 'store.change', target: `store:${store.code}`, fields })
            return tx.store.update({
              where: { id: store.id },
              data: {
                ...(patch.code !== undefined && { code: patch.code }),
                ...(patch.name !== undefined && { name: patch.name }),
                variant: after.variant,
                assortment: jsonOrNull(after.assortment),
                ...(patch.paused !== undefined && { paused_at: patch.paused ? (store.paused_at ?? clock.now()) : null }),
                updated_at: clock.now(),
              },
            })
          },
          { timeout: 60_000, maxWait: 10_000 },
        ),
      ),

    /** Its tokens and reports go with it. Answers the store as it was. */
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
