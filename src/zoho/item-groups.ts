import { createHash } from 'node:crypto'
import { BadGatewayError } from '../lib/errors.ts'
import type { ZohoClient } from './client.ts'
import { listByPage } from './paginate.ts'
import type { ItemAttribute } from './read-item.ts'
import { Id, Key, PlainText, type Row, Text } from './value-types.ts'

export const GROUP_LIST_PATH = '/inventory/v1/itemgroups'
const NUMBERS = [1, 2, 3] as const

/** A field is undefined where its key is absent or unreadable, null where it is blank. */
export interface ZohoGroupFacts {
  description?: string | null | undefined
  brand?: string | null | undefined
  manufacturer?: string | null | undefined
  unit?: string | null | undefined
  image_document_id?: string | null | undefined
  image_name?: string | null | undefined
}

/** A row of the list of item groups. */
export interface ZohoItemGroup {
  id: string
  name: string | null
  /** Null: the row does not say. Newer organizations give every item a group without variants. */
  hasVariants: boolean | null
  facts: ZohoGroupFacts
  /** Undefined: the row has no list of items. */
  members?: GroupMember[] | undefined
  /** Changes when the detail may have changed; prices and stock of the items do not count. */
  contentKey: string
}

export interface GroupMember {
  itemId: string
  /** Undefined: the row does not name them. */
  attributes: ItemAttribute[] | undefined
}

export interface ZohoGroupDetail {
  facts: ZohoGroupFacts
  /** Each with all its options in Zoho's order; undefined where they are absent or unreadable. */
  attributes: { name: string; options: string[] }[] | undefined
}

const isBlank = (value: unknown): boolean => value === undefined || value === null || value === ''

/** Yields all item groups. Throws what the client throws. */
export const listItemGroups = (
  client: ZohoClient,
  { runId, onUnreadable }: { runId: string; onUnreadable(row: unknown): void },
  signal: AbortSignal,
): AsyncGenerator<ZohoItemGroup[]> =>
  listByPage(
    client,
    { path: GROUP_LIST_PATH, key: 'itemgroups', read: readGroupRow, onUnreadable, idOf: (group) => group.id, job: 'groups', runId },
    signal,
  )

/** Throws when the id is unreadable. */
function readGroupRow(input: unknown): ZohoItemGroup {
  const row = input as Row
  const names = NUMBERS.map((n) => PlainText.safeParse(row[`attribute_name${n}`]).data ?? null)
  const isNamed = Object.keys(row).some((key) => /^attribute_(id|name)[1-3]$/.test(key))
  const members = readMembers(row.items, names)
  const facts = readFacts(row)
  const { created_time: _, items, ...rest } = row
  const options = rowsOf(items).flatMap((item) =>
    NUMBERS.map((n) => `${n} ${item[`attribute_option_id${n}`]} ${item[`attribute_option_name${n}`]}`),
  )
  return {
    id: Id.parse(row.group_id),
    name: PlainText.parse(row.group_name),
    hasVariants: isNamed ? names.some((name) => name !== null) || !isBlank(row.attribute_id1) : null,
    facts,
    members,
    contentKey: createHash('sha256')
      .update(JSON.stringify([facts, rest.group_name, rest.last_modified_time, names, [...new Set(options)].sort()]))
      .digest('base64url'),
  }
}

/** The documentation draws the items as one object in places. */
const rowsOf = (items: unknown): Row[] =>
  (Array.isArray(items) ? items : [items]).filter((item): item is Row => typeof item === 'object' && item !== null)

function readMembers(items: unknown, names: (string | null)[]): GroupMember[] | undefined {
  if (items === undefined) return undefined
  return rowsOf(items).flatMap((item): GroupMember[] => {
    const itemId = Id.safeParse(item.item_id)
    if (!itemId.success) return []
    const isNamed = names.some((name) => name !== null) && Object.keys(item).some((key) => /^attribute_option_name[1-3]$/.test(key))
    const attributes = names.flatMap((name, n) =>
      name === null ? [] : [{ name, option: PlainText.safeParse(item[`attribute_option_name${n + 1}`]).data ?? '' }],
    )
    return [{ itemId: itemId.data, attributes: isNamed ? attributes : undefined }]
  })
}

function readFacts(row: Row): ZohoGroupFacts {
  const text = (key: string, type: typeof PlainText | typeof Text | typeof Key) =>
    row[key] === undefined ? undefined : type.safeParse(row[key]).data
  return {
    description: text('description', PlainText),
    brand: text('brand', PlainText),
    manufacturer: text('manufacturer', PlainText),
    unit: text('unit', Text),
    image_document_id: text('image_document_id', Key) ?? text('image_id', Key),
    image_name: text('image_name', Text),
  }
}

/**
 * Returns one group with its options. Zoho documents the fields beside `code` and `message`, other
 * details are within an object; both are read. Throws ZohoNotFoundError when Zoho does not have it.
 */
export async function readItemGroup(
  client: ZohoClient,
  { id, runId }: { id: string; runId: string },
  signal: AbortSignal,
): Promise<ZohoGroupDetail> {
  const { body } = await client.json({ path: `${GROUP_LIST_PATH}/${encodeURIComponent(id)}`, job: 'groups', runId }, signal)
  const group = [body, ...rowsOf(Object.values(body))].find((it) => it.group_id !== undefined)
  if (!group) throw new BadGatewayError('detail_malformed', { key: 'group_id' })
  if (String(group.group_id) !== id) throw new BadGatewayError('record_mismatch', { module: 'itemgroups', id })
  const { attributes } = group
  return {
    facts: readFacts(group),
    attributes: Array.isArray(attributes)
      ? rowsOf(attributes).flatMap((attribute) => {
          const name = PlainText.safeParse(attribute.name).data
          const options = rowsOf(attribute.options).flatMap((option) => PlainText.safeParse(option.name).data ?? [])
          return name ? [{ name, options }] : []
        })
      : undefined,
  }
}
