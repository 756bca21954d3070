import { z } from 'zod'
import type { ZohoClient } from './client.ts'
import { ZohoNotFoundError, ZohoRequestError } from './errors.ts'
import { Flag, Id, PlainText, ReadableDecimal, type Row } from './value-types.ts'

/** A place where goods are kept. Older organizations have warehouses instead of locations. */
export interface ZohoLocation {
  id: string
  name: string
  status: 'active' | 'inactive'
  is_primary: boolean
  /** As Zoho has it; null where it gives none. */
  address: Record<string, unknown> | null
}

/** The stock of one item at one location: decimal strings, which may be negative; null: blank. */
export interface LocationStock {
  location_id: string
  name: string
  status: 'active' | 'inactive'
  is_primary: boolean
  on_hand: string | null
  available: string | null
  actual_available: string | null
  committed: string | null
  /** On hand less committed; only used where `committed` is blank. */
  available_for_sale: string | null
}

/** The two shapes: the list's path, its key (also in details), and how the keys of a row begin. */
const SHAPES = [
  { path: '/inventory/v1/locations', key: 'locations', of: 'location' },
  { path: '/inventory/v1/settings/warehouses', key: 'warehouses', of: 'warehouse' },
] as const
type Shape = (typeof SHAPES)[number]

const Address = z.record(z.string(), z.unknown()).nullable().catch(null)
const statusOf = (value: unknown): ZohoLocation['status'] =>
  typeof value === 'string' && value.trim().toLowerCase() === 'inactive' ? 'inactive' : 'active'

function readPlace(row: Row, { of }: Shape) {
  const id = Id.parse(row[`${of}_id`])
  return {
    id,
    name: PlainText.parse(row[`${of}_name`] ?? row.name) ?? id,
    status: row.is_location_active === false ? ('inactive' as const) : statusOf(row.status),
    is_primary: Flag.catch(false).parse(row.is_primary ?? row.is_primary_location ?? false),
  }
}

/**
 * Returns the locations of the organization, or its warehouses where it has no locations; an
 * organization without either costs two calls. Locations below others are listed like the others.
 * Throws what client.json throws, but for a refused path.
 */
export async function listLocations(
  client: ZohoClient,
  { runId }: { runId?: string | undefined },
  signal: AbortSignal,
): Promise<ZohoLocation[]> {
  for (const shape of SHAPES) {
    try {
      const { body } = await client.json({ path: shape.path, job: 'stock', runId }, signal)
      const rows = flat(body[shape.key])
      if (rows.length > 0) return rows.map((row) => ({ ...readPlace(row, shape), address: Address.parse(row.address ?? null) }))
    } catch (error) {
      // The other shape's path is unknown to this organization.
      if (!(error instanceof ZohoNotFoundError || error instanceof ZohoRequestError)) throw error
    }
  }
  return []
}

/** A hierarchical list nests the locations below another. */
function flat(rows: unknown): Row[] {
  if (!Array.isArray(rows)) return []
  return rows.flatMap((row: unknown) => (typeof row === 'object' && row !== null ? [row as Row, ...flat((row as Row).locations)] : []))
}

/**
 * Reads an item's stock by location from its detail: undefined where the detail has no such key, an
 * empty list where it is blank. Throws when an entry cannot be read, since a part would look like
 * stock that is gone.
 */
export function readLocationStock(row: Row): LocationStock[] | undefined {
  const given = SHAPES.filter(({ key }) => row[key] !== undefined)
  const shape = given.find(({ key }) => Array.isArray(row[key]) && row[key].length > 0)
  if (shape === undefined) {
    if (given.length === 0) return undefined
    if (given.every(({ key }) => row[key] === null || row[key] === '' || Array.isArray(row[key]))) return []
    throw new Error('the stock by location is not a list')
  }
  return (row[shape.key] as unknown[]).map((entry) => {
    const { id: location_id, ...place } = readPlace(z.record(z.string(), z.unknown()).parse(entry), shape)
    const figure = (name: string) => ReadableDecimal.parse((entry as Row)[`${shape.of}_${name}`])
    return {
      location_id,
      ...place,
      on_hand: figure('stock_on_hand'),
      available: figure('available_stock'),
      actual_available: figure('actual_available_stock'),
      committed: figure('committed_stock'),
      available_for_sale: figure('available_for_sale_stock'),
    }
  })
}
