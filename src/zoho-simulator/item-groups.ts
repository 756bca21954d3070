import type { ApiRoutes, SimulatorState } from './api.ts'
import type { SimulatedItem } from './seed.ts'
import { itemRow, zohoTime } from './serialize.ts'

export interface SimulatedGroup {
  description?: string
  /** The order in which Zoho shows the options; without it, that in which the items name them. */
  options?: Record<string, string[]>
  /** Drawn from this number; without one the group has no image. */
  image_seed?: number
  modified?: Date
}

const NUMBERS = [1, 2, 3] as const
const FIRST_IMAGE = 200_000_000n

export type ItemGroups = ReturnType<typeof createItemGroups>

/** What groups have beside their items; the items name group and options. */
export function createItemGroups({ store, toggles, now }: Pick<SimulatorState, 'store' | 'toggles' | 'now'>) {
  const own = new Map<string, SimulatedGroup>()
  const documentOf = (id: string, { image_seed }: SimulatedGroup): string =>
    image_seed === undefined ? '' : String(BigInt(id) + FIRST_IMAGE + BigInt(image_seed))

  /** Groups with their items, by id; newer organizations have one for each other item, too. */
  function all(): Map<string, { name: string; items: SimulatedItem[] }> {
    const groups = new Map<string, { name: string; items: SimulatedItem[] }>()
    for (const item of store.all()) {
      if (!item.group && toggles.groupKeys === 'grouped') continue
      const { id, name } = item.group ?? { id: String(BigInt(item.item_id) + 1n), name: item.name }
      const group = groups.get(id) ?? { name, items: [] }
      group.items.push(item)
      groups.set(id, group)
    }
    return groups
  }

  return {
    all,
    of: (id: string): SimulatedGroup => own.get(id) ?? {},
    set: (id: string, change: SimulatedGroup) =>
      void own.set(id, { ...own.get(id), modified: new Date(Math.floor(now() / 1000) * 1000), ...change }),
    /** A new name moves no item's time by default. */
    rename(id: string, name: string) {
      for (const item of store.all()) {
        if (item.group?.id === id) store.edit(item.item_id, { group: { id, name } }, { touches: toggles.groupTouchesItems })
      }
    },
    documentOf,
    findDocument(document: string): { name: string; seed: number } | null {
      for (const [id, group] of own)
        if (group.image_seed !== undefined && documentOf(id, group) === document) return { name: `${id}.jpg`, seed: group.image_seed }
      return null
    },
  }
}

function attributesOf(group: SimulatedGroup, items: SimulatedItem[]) {
  const names = [...new Set(items.flatMap((item) => (item.attributes ?? []).map(({ name }) => name)))]
  return names.map((name) => ({
    name,
    options: group.options?.[name] ?? [
      ...new Set(items.flatMap((item) => (item.attributes ?? []).flatMap((it) => (it.name === name ? [it.option] : [])))),
    ],
  }))
}

export const itemGroupRoutes =
  (groups: ItemGroups): ApiRoutes =>
  (api, state) => {
    const { toggles, zone } = state
    const config = { scope: 'ZohoInventory.items.READ' }

    function facts(id: string, { name, items }: { name: string; items: SimulatedItem[] }) {
      const own = groups.of(id)
      const [first] = items
      const attributes = attributesOf(own, items)
      const document = groups.documentOf(id, own)
      const modified = own.modified ?? new Date(Math.min(...items.map((item) => item.created.getTime())))
      return {
        group_id: id,
        group_name: name,
        product_type: 'goods',
        brand: first?.brand ?? '',
        manufacturer: first?.manufacturer ?? '',
        unit: first?.unit ?? '',
        description: own.description ?? '',
        tax_id: '',
        ...Object.fromEntries(
          NUMBERS.flatMap((n) => {
            const attribute = attributes[n - 1]
            return [
              [`attribute_id${n}`, attribute ? `${id.slice(0, -2)}${n}1` : ''],
              [`attribute_name${n}`, attribute?.name ?? ''],
            ]
          }),
        ),
        status: 'active',
        source: 'user',
        image_id: document,
        image_name: document === '' ? '' : `${id}.jpg`,
        image_type: document === '' ? '' : 'jpg',
        custom_fields: [],
        created_time: zohoTime(modified, zone),
        last_modified_time: zohoTime(modified, zone),
        items: items.map((item) => {
          const row: Record<string, unknown> = itemRow(item, zone, toggles)
          const keys = ['item_id', 'name', 'status', 'rate', 'purchase_rate', 'stock_on_hand', 'sku', 'upc', 'ean', 'isbn', 'part_number']
          keys.push(...NUMBERS.flatMap((n) => [`attribute_option_id${n}`, `attribute_option_name${n}`]), 'image_name', 'image_type')
          return Object.fromEntries(keys.flatMap((key) => (row[key] === undefined ? [] : [[key, row[key]]])))
        }),
      }
    }

    api.get<{ Querystring: Record<string, string | undefined> }>('/inventory/v1/itemgroups', { config }, async ({ query }) => {
      const page = Math.max(1, Number(query.page ?? 1) || 1)
      const per_page = Math.min(200, Number(query.per_page ?? 200) || 200)
      const all = [...groups.all()]
      return {
        code: 0,
        message: 'success',
        itemgroups: all.slice((page - 1) * per_page, page * per_page).map(([id, group]) => facts(id, group)),
        page_context: { page, per_page, has_more_page: all.length > page * per_page, report_name: 'Item Groups' },
      }
    })
    api.get<{ Params: { id: string } }>('/inventory/v1/itemgroups/:id', { config }, async ({ params }, reply) => {
      const group = groups.all().get(params.id)
      if (!group) return reply.code(404).send({ code: 1002, message: 'Item Group does not exist.' })
      const attributes = attributesOf(groups.of(params.id), group.items).map(({ name, options }, n) => ({
        id: `${params.id.slice(0, -2)}${n + 1}1`,
        name,
        options: options.map((option, at) => ({ id: `${params.id.slice(0, -4)}${n + 1}${String(at).padStart(2, '0')}9`, name: option })),
      }))
      const detail = { ...facts(params.id, group), attributes }
      const head = { code: 0, message: 'success' }
      return toggles.groupDetail === 'bare' ? { ...head, ...detail } : { ...head, item_group: detail }
    })
  }
