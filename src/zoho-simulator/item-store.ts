import type { SimulatedItem } from './seed.ts'

export type ItemStore = ReturnType<typeof createItemStore>

/** The present items, and the list's view of them, which may lag behind. */
export function createItemStore(start: SimulatedItem[], { now, lagMs }: { now(): number; lagMs(): number }) {
  let items = start
  const byId = new Map(items.map((item) => [item.item_id, item]))
  let byModified: SimulatedItem[] | null = null
  /** What the list still shows instead, and until when; null: the item is new and not shown yet. */
  const lagging = new Map<string, { until: number; before: SimulatedItem | null }>()
  const second = () => new Date(Math.floor(now() / 1000) * 1000)
  const lag = (id: string, before: SimulatedItem | null) => {
    if (lagMs() > 0 && !lagging.has(id)) lagging.set(id, { until: now() + lagMs(), before })
  }
  const inOrder = (of: SimulatedItem[]) =>
    [...of].sort((a, b) => a.modified.getTime() - b.modified.getTime() || (a.item_id < b.item_id ? -1 : 1))

  function listed(): SimulatedItem[] {
    for (const [id, { until }] of lagging) {
      if (until <= now()) {
        lagging.delete(id)
        byModified = null
      }
    }
    if (lagging.size === 0) return items
    return items.flatMap((item) => {
      const late = lagging.get(item.item_id)
      return late ? (late.before ?? []) : item
    })
  }

  return {
    all: () => items,
    find: (id: string) => byId.get(id),
    findDocument: (id: string) => items.find((item) => item.image_document_id === id || item.gallery?.some((it) => it.document_id === id)),
    /** As in Zoho, an edit makes the row newer, unless the change itself sets the time. */
    edit(id: string, change: Partial<SimulatedItem>, { touches = true } = {}) {
      const item = byId.get(id)
      if (!item) throw new Error(`no item ${id}`)
      lag(id, { ...item })
      Object.assign(item, touches ? { modified: second() } : {}, change)
      byModified = null
    },
    add(item: SimulatedItem) {
      lag(item.item_id, null)
      items = [...items, item]
      byId.set(item.item_id, item)
      byModified = null
    },
    remove(id: string) {
      items = items.filter((item) => item.item_id !== id)
      byId.delete(id)
      lagging.delete(id)
      byModified = null
    },
    /** The list's view, in the order of one column. */
    sorted(column: string): SimulatedItem[] {
      const shown = listed()
      if (column === 'last_modified_time') {
        if (lagging.size > 0) return inOrder(shown)
        byModified ??= inOrder(shown)
        return byModified
      }
      const key = (item: SimulatedItem) =>
        ({
          created_time: item.created.getTime(),
          rate: item.rate,
          purchase_rate: item.purchase_rate,
          sku: item.sku,
          stock_on_hand: item.stock ?? 0,
          reorder_level: 0,
        })[column] ?? item.name
      return [...shown].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
    },
  }
}

/**
 * Returns the index of the first row of this time or later, in a list in the order of modification.
 */
export function firstFrom(rows: SimulatedItem[], from: number): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (rows[middle]!.modified.getTime() < from) low = middle + 1
    else high = middle
  }
  return low
}
