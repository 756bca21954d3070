import { extname } from 'node:path'

/** Files that operating systems add to folders and archives automatically. */
const JUNK = /(^|\/)(__MACOSX\/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)/i
/**
 * zinc's own export as a ZIP: its records are not an image, and its folder of primary images is not
 * a SKU.
 */
const EXPORTED_RECORDS = /(^|\/)items\.json$/
const EXPORTED_PRIMARY = /(^|\/)images\/item\/[^/]+$/
const EXPORTED_FURTHER = /(^|\/)images\/more\/[^/]+\/\d+\.\w+$/

/** Whether a path is one that zinc exports images under: zinc had accepted such an image before. */
export const isExported = (path: string): boolean => EXPORTED_PRIMARY.test(path) || EXPORTED_FURTHER.test(path)

export interface ImportName {
  /**
   * Candidates for the product, the most certain first: the folder of the file, or the file's own
   * name.
   */
  keys: string[]
  /** The last part of the path. */
  file: string
  /** zinc's own export names products by Zoho's id, which may equal the SKU of another product. */
  byZohoId: boolean
}

/**
 * Parses `{SKU}/name.jpg`, `{SKU}.jpg` or `{zoho_item_id}.jpg`, below any folders, and zinc's own
 * export. Returns null for a name that is no image. A SKU with a `/` or another character that file
 * names cannot have is written with `%2F`; both spellings are tried.
 */
export function readImportName(path: string): ImportName | null {
  if (path.endsWith('/') || JUNK.test(path) || EXPORTED_RECORDS.test(path)) return null
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const file = parts.at(-1)
  if (file === undefined || file.startsWith('.')) return null
  const folder = parts.at(-2)
  const own = file.slice(0, file.length - extname(file).length)
  if (EXPORTED_PRIMARY.test(path)) return { file, keys: spellings(own), byZohoId: true }
  // The number of a further image is not a SKU.
  if (folder !== undefined && EXPORTED_FURTHER.test(path)) return { file, keys: spellings(folder), byZohoId: true }
  return { file, keys: [...(folder === undefined ? [] : spellings(folder)), ...spellings(own)], byZohoId: false }
}

/**
 * As written first, then normalised: some systems decompose accented letters (NFD) in every file
 * name.
 */
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
