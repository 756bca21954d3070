import { z } from 'zod'
import { BadRequestError } from '../../lib/errors.ts'
import { readNamedFile } from '../../lib/open-regular-file.ts'
import { parseCsv } from '../../lib/parse-csv.ts'

/** Columns that name the product of a file; the first that a row fills counts. */
export const MAP_COLUMNS = ['product_id', 'zoho_item_id', 'sku'] as const

/** Which product a file, or each file below a folder, belongs to. */
export const MapEntry = z.object({ path: z.string(), by: z.enum(MAP_COLUMNS), value: z.string() })
export type MapEntry = z.infer<typeof MapEntry>

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const MAX_BYTES = 64 * 1024 ** 2

/** A path as a map and a source write it alike. */
export const mapPath = (path: string): string =>
  path
    .replaceAll('\\', '/')
    .replace(/^(\.?\/)+/, '')
    .replace(/\/+$/, '')
    .normalize('NFC')

/**
 * Reads a CSV `path,sku|zoho_item_id|product_id`, with paths from the imported folder or prefix.
 * Throws BadRequestError `invalid_map` with the line that cannot be read, or the missing columns.
 */
export async function readProductMap(file: string): Promise<MapEntry[]> {
  const text = await readNamedFile(file)
  if (text.length > MAX_BYTES) throw new BadRequestError('invalid_map', { file, line: 1 })
  const { columns, rows } = parseCsv(text)
  if (!columns.includes('path') || !MAP_COLUMNS.some((name) => columns.includes(name)))
    throw new BadRequestError('invalid_map.columns', { file })
  return rows.map(({ line, values }) => {
    const by = MAP_COLUMNS.find((name) => (values[name] ?? '') !== '')
    const path = mapPath(values.path ?? '')
    if (by === undefined || path === '' || (by === 'product_id' && !UUID.test(values[by]!)))
      throw new BadRequestError('invalid_map', { file, line })
    return { path, by, value: values[by]! }
  })
}

/** Returns the entry for a path: its own, or that of the closest folder above it. */
export function findInMap(map: Map<string, MapEntry>, path: string): MapEntry | undefined {
  for (let at = mapPath(path); at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const entry = map.get(at)
    if (entry) return entry
  }
  return undefined
}
