import type { Database } from '../db.ts'
import type { Secrets } from './secrets.ts'
import { placeOf } from './stored-values.ts'

/** A table with sealed values and how the place of each is called; a table that gets such a column is added here. */
interface SealedRows {
  /** Sealed records that were not made with the newest key, at most so many. */
  old(keyId: string, take: number): Promise<{ id: string; record: string }[]>
  place(id: string): string
  /** Writes the new record unless the row has changed meanwhile; answers whether it did. */
  replace(id: string, before: string, after: string): Promise<boolean>
}

export interface Resealed {
  resealed: number
  /** Values that no key of the ring opens: they have to be entered again. */
  unreadable: string[]
}

const AT_ONCE = 100

/**
 * Re-encrypts every sealed value with the newest key while zinc works on. Each row is a write of its own that only counts if nobody changed the row
 * meanwhile, so it may be killed anywhere and started again; rows that are done are not touched.
 */
export async function resealAll(db: Database, secrets: Secrets): Promise<Resealed> {
  const result: Resealed = { resealed: 0, unreadable: [] }
  for (const rows of [settings(db), accessTokens(db)]) {
    const skipped = new Set<string>()
    for (;;) {
      const batch = (await rows.old(secrets.newestKeyId, AT_ONCE + skipped.size)).filter(({ id }) => !skipped.has(id))
      if (batch.length === 0) break
      for (const { id, record } of batch) {
        let fresh: string
        try {
          fresh = secrets.seal(secrets.open(record, rows.place(id)), rows.place(id))
        } catch {
          skipped.add(id)
          result.unreadable.push(rows.place(id))
          continue
        }
        if (await rows.replace(id, record, fresh)) result.resealed++
      }
    }
  }
  return result
}

const notOf = (keyId: string) => ({ not: { startsWith: `v1:${keyId}:` } })

function settings(db: Database): SealedRows {
  return {
    place: placeOf,
    old: async (keyId, take) =>
      (await db.setting.findMany({ where: { sealed: true, value: notOf(keyId) }, take, orderBy: { name: 'asc' } })).map((row) => ({
        id: row.name,
        record: row.value,
      })),
    replace: async (name, value, after) => (await db.setting.updateMany({ where: { name, value }, data: { value: after } })).count === 1,
  }
}

function accessTokens(db: Database): SealedRows {
  return {
    place: (id) => `zoho_token.access_token.${id}`,
    old: async (keyId, take) =>
      (await db.zohoToken.findMany({ where: { access_token: notOf(keyId) }, take, orderBy: { id: 'asc' } })).map((row) => ({
        id: row.id,
        record: row.access_token,
      })),
    replace: async (id, access_token, after) =>
      (await db.zohoToken.updateMany({ where: { id, access_token }, data: { access_token: after } })).count === 1,
  }
}
