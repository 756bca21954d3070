import { extname } from 'node:path'

/** What systems add to folders and archives by themselves. */
const JUNK = /(^|\/)(__MACOSX\/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)/i
/** zinc's own export as a ZIP: its records are no picture, and its folder of primary pictures is no SKU. */
const EXPORTED_RECORDS = /(^|\/)items\.json$/
const EXPORTED_PRIMARY = /(^|\/)images\/item\/[^/]+$/
const EXPORTED_FURTHER = /(^|\/)images\/more\/[^/]+\/\d+\.\w+$/

/** Whether a path is one under which zinc exports pictures: it had taken them before. */
export const isExported = (path: string): boolean => EXPORTED_PRIMARY.test(path) || EXPORTED_FURTHER.test(path)

export interface ImportName {
  /** Candidates for the product, the surest first: the folder that holds the file, or the file's own name. */
  keys: string[]
  /** The last part of the path. */
  file: string
  /** zinc's own export names products by Zoho's id; a SKU of another product may read the same. */
  byZohoId: boolean
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
  const folder = parts.at(-2)
  const own = file.slice(0, file.length - extname(file).length)
  if (EXPORTED_PRIMARY.test(path)) return { file, keys: spellings(own), byZohoId: true }
  // The number of a further picture is no SKU.
  if (folder !== undefined && EXPORTED_FURTHER.test(path)) return { file, keys: spellings(folder), byZohoId: true }
  return { file, keys: [...(folder === undefined ? [] : spellings(folder)), ...spellings(own)], byZohoId: false }
}

/** As it is first. Some systems take accents off their letters (NFD) in every name of a file. */
function spellings(name: string): string[] {
  const plain = decoded(name)
  return [...new Set([name, plain, name.normalize('NFC'), plain.normalize('NFC'), plain.normalize('NFD')])]
}

function decoded(name: string): string {
  try {
    const plain = decodeURIComponent(name)
    return plain.includes('\0') ? name : plain
  } catch {
    return name
  }
}
