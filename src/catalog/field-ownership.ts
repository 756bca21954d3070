import type { RawDb } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { idBeside, type MappedField } from '../schemas/item-fields.ts'
import { type FieldRules, readFieldRules } from './field-mapping.ts'

/** A product must have these: a new one gets Zoho's values, whoever owns them afterwards. */
const NEVER_EMPTY: MappedField[] = ['name', 'status']

type Value = string | null | undefined
type Owned = { zoho_item_id: string } & { [F in MappedField]?: unknown }

/**
 * Returns a field's new value from the product's (undefined: no such product yet) and the source's.
 */
export function ownedValue(field: MappedField, rules: FieldRules, { current, given }: { current: Value; given: Value }): Value {
  const owner = rules.get(field)?.owner ?? 'zoho'
  if (owner === 'zoho') return given
  if (current === undefined) return owner === 'first' || NEVER_EMPTY.includes(field) ? given : null
  return owner === 'erp' || (current !== null && current.trim() !== '') ? current : given
}

/**
 * Replaces the source's values with the product's own in the fields that the ERP owns, so that
 * writing the rows does not change them. Without rules (the default) it reads one small table. With
 * rules it is one more query per page, which also locks the products until the page is written: a
 * concurrent price update of the ERP waits and is not lost.
 */
export async function applyFieldOwnership<R extends Owned>(tx: RawDb, rows: R[]): Promise<R[]> {
  const rules = await readFieldRules(tx)
  const fields = [...rules].filter(([, { owner }]) => owner !== 'zoho').map(([field]) => field)
  if (fields.length === 0 || rows.length === 0) return rows
  const columns = fields.map((field) => Prisma.raw(`${field}::text as ${field}`))
  const products = await tx.$queryRaw<({ zoho_item_id: string } & Record<MappedField, string | null>)[]>`
    select zoho_item_id, ${Prisma.join(columns)} from product where zoho_item_id = any(${rows.map((row) => row.zoho_item_id)})
    order by id for no key update`
  const byId = new Map(products.map((product) => [product.zoho_item_id, product]))
  return rows.map((row) => {
    const product = byId.get(row.zoho_item_id)
    const saved = fields
      .filter((field) => row[field] !== undefined)
      .map((field) => [field, ownedValue(field, rules, { current: product?.[field], given: row[field] as Value })])
    const kept = { ...row, ...Object.fromEntries(saved) }
    for (const field of fields) {
      const id = idBeside(field)
      if (id !== null) delete (kept as Record<string, unknown>)[id]
    }
    return kept
  })
}
