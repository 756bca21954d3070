import type { RawDb } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { columns, fieldsOf, groupByFields, type ItemColumn, type ItemRow, rowsAsTable } from './item-fields.ts'
import { upsertFrom } from './upsert-items.ts'

export interface ItemDifferences {
  new: number
  updated: number
  restored: number
  unchanged: number
  /** Items by image: named by no key, stored already, to be fetched. */
  images_missing: number
  images_stored: number
  images_to_fetch: number
  /** Stored, and the item was edited since its image was last fetched. */
  images_to_recheck: number
}

/**
 * The items of a page that differ. Every part of a statement sees the products as they were before
 * it.
 */
const DIFFERING = Prisma.sql`(select t.* from t join seen on seen.zoho_item_id = t.zoho_item_id where seen.outcome <> 'unchanged') as t`

/** A jsonb value as the API shows it: numbers are money or stock, so they are decimal strings. */
const shown = (value: string) =>
  `case jsonb_typeof(${value}) when 'number' then to_jsonb(trim_scale((${value} #>> '{}')::numeric)::text) else ${value} end`

export interface DifferencesOptions {
  runId: string
  /**
   * Ids that the run has counted already: recorded and written like the others, but not counted
   * again.
   */
  again: Set<string>
  /** The time to write the differing items with; null: nothing is written, as in a dry run. */
  writeAt: Date | null
}

/**
 * Compares items with the stored products, records the differing fields for the run and writes
 * them: one statement per set of fields, so that a page is sent and read once. Equal items get no
 * record and are not written. Fields owned by the ERP must have been replaced before
 * (`applyFieldOwnership`).
 */
export async function recordDifferences(
  tx: RawDb,
  items: ItemRow[],
  { runId, again, writeAt }: DifferencesOptions,
): Promise<ItemDifferences> {
  const sum: ItemDifferences = {
    new: 0,
    updated: 0,
    restored: 0,
    unchanged: 0,
    images_missing: 0,
    images_stored: 0,
    images_to_fetch: 0,
    images_to_recheck: 0,
  }
  for (const rows of groupByFields(items)) {
    const fields = fieldsOf(rows[0]!)
    const groups = await tx.$queryRaw<
      { outcome: 'new' | 'updated' | 'restored' | 'unchanged'; image: string; recheck: boolean; n: number }[]
    >`
      with t as materialized (select * from ${rowsAsTable(rows, fields)}),
      seen as materialized (
        select t.zoho_item_id,
          case when p.id is null then 'new' when p.deleted_at is not null then 'restored'
            when (${columns(fields, 'p')}) is distinct from (${columns(fields, 't')}) then 'updated' else 'unchanged' end as outcome,
          ${imageClass(fields)} as image, ${recheckedAfterEdit(fields)} as recheck
        from t left join product p on p.zoho_item_id = t.zoho_item_id),
      noted as (
        insert into run_record (run_id, record_id, outcome, sku, name, changes)
        select ${runId}::uuid, seen.zoho_item_id, seen.outcome, ${fields.includes('sku') ? Prisma.sql`t.sku` : Prisma.sql`p.sku`},
          ${fields.includes('name') ? Prisma.sql`t.name` : Prisma.sql`p.name`},
          case when seen.outcome = 'new' then '{}'::jsonb else coalesce((
            select jsonb_object_agg(a.key, jsonb_build_array(${Prisma.raw(shown('b.value'))}, ${Prisma.raw(shown('a.value'))}))
            from jsonb_each(to_jsonb(t)) a join jsonb_each(to_jsonb(p)) b on b.key = a.key
            where a.value is distinct from b.value and a.key <> 'image_source_key'), '{}'::jsonb)
            || case when p.deleted_at is null then '{}'::jsonb else jsonb_build_object('deleted_at', jsonb_build_array(p.deleted_at, null)) end end
        from seen join t on t.zoho_item_id = seen.zoho_item_id left join product p on p.zoho_item_id = t.zoho_item_id
        where seen.outcome <> 'unchanged'
        -- An item that changes again during the listing keeps its first recorded difference.
        on conflict (run_id, record_id) do nothing)
        ${writeAt === null ? Prisma.empty : Prisma.sql`, written as (${upsertFrom(DIFFERING, fields, { at: writeAt })})`}
      select outcome, image, recheck, count(*)::int as n from seen where zoho_item_id <> all(${[...again]}::text[]) group by 1, 2, 3`
    for (const { outcome, image, recheck, n } of groups) {
      sum[outcome] += n
      if (image !== 'to_fetch' && recheck) sum.images_to_recheck += n
      if (image === 'missing') sum.images_missing += n
      else if (image === 'stored') sum.images_stored += n
      else if (image === 'to_fetch') sum.images_to_fetch += n
    }
  }
  return sum
}

/**
 * Returns `missing`, `stored` or `to_fetch`, by the row's values and the stored product. `to_fetch`
 * is exactly what the image phase will try, which counts it then. So each product counts once, even
 * with both a Zoho image and one behind a file's URL.
 */
function imageClass(fields: ItemColumn[]): Prisma.Sql {
  const here = "p.id is not null and p.deleted_at is null and p.image_state = 'stored'"
  if (fields.includes('image_source_key')) {
    return Prisma.raw(`case when t.image_source_key is null then case when ${here} then 'stored' else 'missing' end
      when t.image_source_key is distinct from p.image_source_fetched then 'to_fetch'
      when p.image_state = 'placeholder' then 'missing' else 'stored' end`)
  }
  const addressWaits = 'p.image_source_key is not null and p.image_source_fetched is distinct from p.image_source_key'
  if (!fields.includes('zoho_image_id'))
    return Prisma.raw(`case when ${addressWaits} then 'to_fetch' when ${here} then 'stored' else 'missing' end`)
  return Prisma.raw(`case when ${addressWaits} then 'to_fetch' when t.zoho_image_id is null then 'missing'
    when p.deleted_at is null and p.image_fetched_id = t.zoho_image_id then 'stored'
    when p.deleted_at is null and p.image_state = 'none' and p.zoho_image_id = t.zoho_image_id then 'missing'
    else 'to_fetch' end`)
}

/** Whether the row has an edit made after its image, of the same id, was last asked for. */
function recheckedAfterEdit(fields: ItemColumn[]): Prisma.Sql {
  const id = fields.includes('zoho_image_id') ? 't.zoho_image_id' : 'p.zoho_image_id'
  const modified = fields.includes('zoho_modified_at') ? 't.zoho_modified_at' : 'p.zoho_modified_at'
  return Prisma.raw(`coalesce(p.deleted_at is null and ${id} = p.zoho_image_id
    and (p.image_state = 'none' or p.image_state = 'stored' and p.image_fetched_id = p.zoho_image_id)
    and ${modified} is distinct from p.image_checked_modified_at, false)`)
}
