import { extname } from 'node:path'

/** What systems add to folders and archives by themselves. */
const JUNK = /(^|\/)(__MACOSX\/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)/i
/** zinc's own export as a ZIP: its records are no picture, and its folder of primary pictures is no SKU. */
const EXPORTED_RECORDS = /(^|\/)items\.json$/
const EXPORTED_PRIMARY = /(^|\/)images\/item\/[^/]+$/

export interface ImportName {
  /** Candidates for the product, the surest first: the folder that holds the file, or the file's own name. */
  keys: string[]
  /** The last part of the path. */
  file: string
}

/**
 * Reads `{SKU}/name.jpg`, `{SKU}.jpg` or `{zoho_item_id}.jpg`, with any folders above, and zinc's own export. A name that stands for no picture is null.
 * A SKU with a `/` or another sign that no file can have is written as `%2F`; both spellings are tried.
 */
export function readImportName(path: string): ImportName | null {
  if (path.endsWith('/') || JUNK.test(path) || EXPORTED_RECORDS.test(path)) return null
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const file = parts.at(-1)
  if (file === undefined || file.startsWith('.')) return null
  const folder = EXPORTED_PRIMARY.test(path) ? undefined : parts.at(-2)
  const own = file.slice(0, file.length - extname(file).length)
  return { file, keys: [...(folder === undefined ? [] : spellings(folder)), ...spellings(own)] }
}

function spellings(name: string): string[] {
  try {
    const decoded = decodeURIComponent(name)
    return decoded === name ? [name] : [name, decoded]
  } catch {
    return [name]
  }
}
