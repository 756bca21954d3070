import type { ApiRoutes } from './api.ts'
import type { SimulatedItem } from './seed.ts'
import type { SimulatorToggles } from './toggles.ts'

/** A place where goods are kept. */
export interface SimulatedLocation {
  id: string
  name: string
  status: 'active' | 'inactive'
  is_primary: boolean
  city: string
}

/** What every simulated shop has unless it is given others. */
export const ONE_LOCATION: SimulatedLocation[] = [
  { id: '460000000000030001', name: 'Main', status: 'active', is_primary: true, city: 'Baghdad' },
]
/** The demo's: a warehouse, a shop, and one that is closed. */
export const THREE_LOCATIONS: SimulatedLocation[] = [
  { id: '460000000000030001', name: 'Main warehouse', status: 'active', is_primary: true, city: 'Baghdad' },
  { id: '460000000000030002', name: 'Karrada shop', status: 'active', is_primary: false, city: 'Baghdad' },
  { id: '460000000000030003', name: 'Basra depot', status: 'inactive', is_primary: false, city: 'Basra' },
]

export type LocationShape = Pick<SimulatorToggles, 'places' | 'stockFigures'>

/** Every twentieth item that has several places is oversold in one of them. */
const OVERSOLD_EVERY = 20n

/**
 * Returns the stock on hand of an item by location; undefined: Zoho names no row there. Without
 * figures of its own the total is divided, so that the places add up to it.
 */
export function stockByLocation(item: SimulatedItem, locations: SimulatedLocation[]): Map<string, number | undefined> {
  const total = item.stock ?? 0
  const own = item.stock_at
  if (own) return new Map(locations.map(({ id }) => [id, own[id]]))
  const oversold = locations.length > 1 && (BigInt(item.item_id) / 2n) % OVERSOLD_EVERY === 0n
  const others = locations.slice(1).map(({ status }, n) => (status === 'inactive' ? 0 : oversold ? -2 : Math.floor(total / (n + 3))))
  const first = total - others.reduce((sum, it) => sum + it, 0)
  return new Map(locations.map(({ id }, n) => [id, n === 0 ? first : others[n - 1]]))
}

/** The `locations` or `warehouses` of a detail; none for an item whose stock is not tracked. */
export function stockKeys(
  item: SimulatedItem,
  locations: SimulatedLocation[],
  { places, stockFigures }: LocationShape,
): Record<string, unknown> {
  if (item.stock === null || locations.length === 0) return {}
  const of = places === 'warehouses' ? 'warehouse' : 'location'
  const figure = (value: number) => (stockFigures === 'string' ? String(value) : value)
  const rows = [...stockByLocation(item, locations)].flatMap(([id, onHand]) => {
    if (onHand === undefined) return []
    const { name, status, is_primary } = locations.find((it) => it.id === id)!
    const committed = Math.max(0, Math.min(onHand, item.committed ?? 0))
    return [
      {
        [`${of}_id`]: id,
        [`${of}_name`]: name,
        status,
        is_primary,
        [`${of}_stock_on_hand`]: figure(onHand),
        initial_stock: 0,
        initial_stock_rate: 0,
        [`${of}_available_stock`]: figure(onHand),
        [`${of}_actual_available_stock`]: figure(onHand),
        [`${of}_committed_stock`]: figure(committed),
        [`${of}_actual_committed_stock`]: figure(committed),
        [`${of}_available_for_sale_stock`]: figure(onHand - committed),
        [`${of}_actual_available_for_sale_stock`]: figure(onHand - committed),
        is_item_mapped: true,
      },
    ]
  })
  return { [`${of}s`]: rows }
}

/** The stock of a kit is what its parts are enough for; no edit of the kit announces it. */
export function withKitStock(item: SimulatedItem, find: (id: string) => SimulatedItem | undefined): SimulatedItem {
  if (!item.kit) return item
  return { ...item, stock: Math.floor(Math.min(...item.kit.map(({ item_id, quantity }) => (find(item_id)?.stock ?? 0) / quantity))) }
}

const config = { scope: 'ZohoInventory.settings.READ' }

/** The list of places: unpaged; the path of the other mode is unknown, or empty (a toggle). */
export const locationRoutes: ApiRoutes = (api, state) => {
  const shapes = [
    { path: '/inventory/v1/locations', mode: 'locations', of: 'location' },
    { path: '/inventory/v1/settings/warehouses', mode: 'warehouses', of: 'warehouse' },
  ] as const
  for (const { path, mode, of } of shapes) {
    api.get(path, { config }, async (_request, reply) => {
      const { toggles, locations } = state
      if (toggles.places !== mode && toggles.otherPlaces === '404')
        return reply
          .code(404)
          .send({ code: 5, message: 'We couldnt find any resource for the given ID. Please verify the ID and try again.' })
      const rows = (toggles.places === mode ? locations : []).map(({ id, name, status, is_primary, city }) => ({
        [`${of}_id`]: id,
        [`${of}_name`]: name,
        status,
        is_primary,
        address: { attention: '', street_address1: '', city, state: '', zip: '', country: 'Iraq', phone: '' },
        ...(mode === 'locations' && { type: is_primary ? 'general' : 'line_item_only', parent_location_id: '' }),
      }))
      const [first, ...children] = rows
      const shown = toggles.locationTree && first ? [{ ...first, [mode]: children }] : rows
      return { code: 0, message: 'success', [mode]: shown }
    })
  }
}
