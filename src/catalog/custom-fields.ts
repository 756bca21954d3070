import type { Db, RawDb } from '../database/client.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'

/** A custom field that Zoho does not show in lists, and how many products have a value in it. */
export interface HiddenField {
  api_name: string
  label: string | null
  products: number
}

/** What is read of an item's custom fields: values by api_name, as a list row names them. */
export interface ItemCustomFields {
  item_id: string
  custom_fields: Record<string, unknown>
  custom_field_labels?: Record<string, string>
  last_modified_time?: Date | null
}

const nameOf = (key: string): string => key.replace(/_unformatted$/, '')
const isBlank = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
const filledFields = ({ custom_fields: fields }: ItemCustomFields): string[] => [
  ...new Set(Object.entries(fields).flatMap(([key, value]) => (isBlank(value) ? [] : [nameOf(key)]))),
]

/**
 * Notes which custom fields the rows of a list have. `noted` holds those that this run has written
 * already.
 */
export async function noteListedFields(
  tx: RawDb,
  items: ItemCustomFields[],
  { runId, noted }: { runId: string; noted: Set<string> },
): Promise<void> {
  const names = [...new Set(items.flatMap(({ custom_fields: fields }) => Object.keys(fields).map(nameOf)))].filter(
    (name) => !noted.has(name),
  )
  if (names.length === 0) return
  await tx.$executeRaw`
    insert into custom_field (api_name, listed_run, in_list) select name, ${runId}::uuid, true from unnest(${names}::text[]) as name
    on conflict (api_name) do update set listed_run = excluded.listed_run, in_list = true`
  for (const name of names) noted.add(name)
}

/** At the end of a full list: a field that no row of it had is hidden. */
export async function settleListedFields(tx: RawDb, { runId }: { runId: string }): Promise<void> {
  await tx.$executeRaw`update custom_field set in_list = false where in_list and listed_run is distinct from ${runId}::uuid`
}

/**
 * Notes what the details of these products say of custom fields. `asked`: the Zoho ids that the run
 * asked for, found or not; `stored`: the values were written to the products.
 */
export async function noteDetails(
  tx: RawDb,
  { runId, asked, items, at, stored }: { runId: string; asked: string[]; items: ItemCustomFields[]; at: Date; stored: boolean },
): Promise<void> {
  const labels = new Map(
    items.flatMap((item) => filledFields(item).map((name) => [name, item.custom_field_labels?.[name] ?? null] as const)),
  )
  if (labels.size > 0)
    await tx.$executeRaw`
      insert into custom_field as c (api_name, label) select * from unnest(${[...labels.keys()]}::text[], ${[...labels.values()]}::text[])
      on conflict (api_name) do update set label = excluded.label where excluded.label is not null and c.label is distinct from excluded.label`
  const found = items.map((item) => ({
    zoho_item_id: item.item_id,
    custom_fields: filledFields(item),
    modified_at: item.last_modified_time?.toISOString() ?? null,
  }))
  await tx.$executeRaw`
    insert into item_detail as d (product_id, asked_run, custom_fields_at, custom_fields, stored_modified_at)
    select p.id, ${runId}::uuid, case when t.zoho_item_id is not null then ${at}::timestamptz end, coalesce(t.custom_fields, '{}'),
      case when ${stored} and t.zoho_item_id is not null then coalesce(t.modified_at, p.zoho_modified_at, 'epoch') end
    from product p
    left join jsonb_to_recordset(${JSON.stringify(found)}::jsonb) as t(zoho_item_id text, custom_fields text[], modified_at timestamptz)
      on t.zoho_item_id = p.zoho_item_id
    where p.zoho_item_id = any(${asked}::text[])
    on conflict (product_id) do update set asked_run = excluded.asked_run,
      custom_fields_at = coalesce(excluded.custom_fields_at, d.custom_fields_at),
      custom_fields = case when excluded.custom_fields_at is null then d.custom_fields else excluded.custom_fields end,
      stored_modified_at = coalesce(excluded.stored_modified_at, d.stored_modified_at)`
}

/** Returns the custom fields that lists do not show, by name, as far as they are known. */
export async function hiddenFields(db: Db): Promise<HiddenField[]> {
  return db.$queryRaw<HiddenField[]>`
    select c.api_name, c.label, count(p.id)::int as products from custom_field c
    left join item_detail d on d.custom_fields @> array[c.api_name] left join product p on p.id = d.product_id and p.deleted_at is null
    where not c.in_list group by c.api_name, c.label order by c.api_name`
}

const SETTING = 'mapping.hidden_fields'

/** Whether the values of hidden custom fields are read, which takes calls for details. */
export async function readsHiddenFields(db: RawDb): Promise<boolean> {
  const rows = await db.$queryRaw<{ value: string }[]>`select value from setting where name = ${SETTING}`
  return rows[0]?.value === 'true'
}

/** Returns whether that is a change. */
export async function setReadsHiddenFields(tx: Db, reads: boolean, { by, at }: { by: Actor; at: Date }): Promise<boolean> {
  if ((await readsHiddenFields(tx)) === reads) return false
  const data = { value: String(reads), changed_by: by.actor, changed_at: at }
  await tx.setting.upsert({ where: { name: SETTING }, create: { name: SETTING, ...data }, update: data })
  await recordAudit(tx, { ...by, action: 'mapping.change', target: 'mapping', fields: ['hidden_fields'] })
  return true
}
