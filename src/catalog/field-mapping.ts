import type { Database, Db, RawDb } from '../database/client.ts'
import { advisoryXactLock } from '../database/locks.ts'
import { BadRequestError } from '../lib/errors.ts'
import { MappedField } from '../schemas/item-fields.ts'
import { FieldOwner, type MappingBody } from '../schemas/mapping.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'

/** A field without a rule is read from its default source and owned by Zoho. */
export interface FieldRule {
  source: string | null
  owner: FieldOwner
}
export type FieldRules = ReadonlyMap<MappedField, FieldRule>

export type FieldChanges = Pick<MappingBody, 'fields' | 'reset'>

/** Which fields have a configurable source, and the choices; the sync module supplies them. */
export interface Sources {
  isEditable(field: MappedField): boolean
  isSource(source: string): boolean
  defaultOf(field: MappedField): string
}

/**
 * Returns the rules; the table has only those that differ from the default, so this is one small
 * read.
 */
export async function readFieldRules(db: RawDb): Promise<FieldRules> {
  const rows = await db.$queryRaw<
    { field: string; source: string | null; owner: string | null }[]
  >`select field, source, owner from field_mapping`
  return new Map(
    rows.flatMap(({ field, source, owner }) => {
      const name = MappedField.safeParse(field)
      return name.success ? [[name.data, { source, owner: FieldOwner.parse(owner ?? 'zoho') }] as const] : []
    }),
  )
}

export async function rulesChangedAt(db: Db): Promise<Date | null> {
  return (await db.fieldMapping.aggregate({ _max: { changed_at: true } }))._max.changed_at
}

/**
 * Returns the rules as they would be after these changes. Throws BadRequestError `unknown_source`,
 * `fixed_source`.
 */
export function changedRules(rules: FieldRules, { fields, reset }: FieldChanges, sources: Sources): FieldRules {
  const result = new Map<MappedField, FieldRule>(reset ? [] : rules)
  for (const { field, source, owner } of fields) {
    const now = result.get(field) ?? { source: null, owner: 'zoho' as const }
    if (source !== undefined && source !== sources.defaultOf(field)) {
      if (!sources.isEditable(field)) throw new BadRequestError('fixed_source', { field, source: sources.defaultOf(field) })
      if (!sources.isSource(source)) throw new BadRequestError('unknown_source', { source })
    }
    const next = {
      source: source === undefined ? now.source : source === sources.defaultOf(field) ? null : source,
      owner: owner ?? now.owner,
    }
    if (next.source === null && next.owner === 'zoho') result.delete(field)
    else result.set(field, next)
  }
  return result
}

/** Saves the changes; they apply from the next page that a sync writes. */
export async function changeFieldRules(
  db: Database,
  changes: FieldChanges,
  { by, at, sources }: { by: Actor; at: Date; sources: Sources },
): Promise<FieldRules> {
  return db.$transaction(async (tx) => {
    await advisoryXactLock(tx, 'field rules')
    const before = await readFieldRules(tx)
    const after = changedRules(before, changes, sources)
    const touched = [...new Set([...before.keys(), ...after.keys()])].filter((field) => {
      const [a, b] = [before.get(field), after.get(field)]
      return a?.source !== b?.source || a?.owner !== b?.owner
    })
    if (touched.length === 0) return after
    await tx.fieldMapping.deleteMany({ where: { field: { in: touched } } })
    await tx.fieldMapping.createMany({
      data: touched.flatMap((field) => {
        const rule = after.get(field)
        return rule ? [{ field, ...rule, changed_at: at }] : []
      }),
    })
    await recordAudit(tx, { ...by, action: changes.reset ? 'mapping.reset' : 'mapping.change', target: 'mapping', fields: touched })
    return after
  })
}
