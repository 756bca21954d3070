import type { Database } from '../database/client.ts'
import { ConflictError } from '../lib/errors.ts'
import { idBeside, MappedField } from '../schemas/item-fields.ts'
import type { ProductPatch } from '../schemas/mapping.ts'
import { readFieldRules } from './field-mapping.ts'
import { findProduct, type ProductWithPhotos } from './find-product.ts'

/**
 * Writes the fields that the ERP owns. All fields of a product that Zoho does not know, imported
 * from a file or the ERP's own, are the ERP's until a sync brings the item. Throws NotFoundError,
 * ConflictError `owned_by_zoho` (the next sync would undo the change).
 */
export async function patchProduct(db: Database, ref: string, patch: ProductPatch, { at }: { at: Date }): Promise<ProductWithPhotos> {
  return db.$transaction(async (tx) => {
    const { id, origin } = await findProduct(tx, ref)
    const fields = MappedField.options.filter((field) => patch[field] !== undefined)
    if (fields.length === 0) return findProduct(tx, id)
    const rules = await readFieldRules(tx)
    const foreign = origin !== 'zoho' ? [] : fields.filter((field) => (rules.get(field)?.owner ?? 'zoho') === 'zoho')
    if (foreign.length > 0) throw new ConflictError('owned_by_zoho', { fields: foreign })
    const ids = Object.fromEntries(fields.flatMap((field) => idBeside(field) ?? []).map((column) => [column, null]))
    await tx.product.update({ where: { id }, data: { ...definite(patch), ...ids, updated_at: at }, select: { id: true } })
    return findProduct(tx, id)
  })
}

/** Without undefined keys: Prisma would accept them, `exactOptionalPropertyTypes` does not. */
const definite = <T extends object>(patch: T) =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
