import { extname } from 'node:path'

/** What systems add to folders and archives by themselves. */
const JUNK = /(^|\/)(__MACOSX\/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)/i

export interface ImportName {
  /** Candidates for the product, the surest first: the folder that holds the file, or the file's own name. */
  keys: string[]
  /** The last part of the path. */
  file: string
}

/**
 * Reads `{SKU}/name.jpg`, `{SKU}.jpg` or `{zoho_item_id}.jpg`, with any folders above. A name that stands for no picture is null.
 * An export writes a SKU's `/` and other characters that no file can have as `%2F`; both spellings are tried.
 */
export function readImportName(path: string): ImportName | null {
  if (path.endsWith('/') || JUNK.test(path)) return null
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const file = parts.at(-1)
  if (file === undefined || file.startsWith('.')) return null
  const folder = parts.at(-2)
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

/** A name that is the same on every disk, and read back by readImportName. */
export function exportName(text: string): string {
  const safe = encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
  // Blanks and letters of all languages are fine in names; what encodeURIComponent did to them is undone, but for the signs that paths reserve.
  const shown = decodeExcept(safe)
  return /^\.*$/.test(shown)
    ? shown.replaceAll('.', '%2E')
    : shown.replace(/^\./, '%2E').replace(/[. ]$/, (sign) => (sign === '.' ? '%2E' : '%20'))
}

/** Reserved by one of the systems that files are carried between, or by this encoding itself. */
const RESERVED = /[/\\:*?"<>|%\p{Cc}]/u
function decodeExcept(encoded: string): string {
  return encoded.replace(/(%[0-9A-F]{2})+/g, (run) => {
    try {
      return [...decodeURIComponent(run)].map((sign) => (RESERVED.test(sign) ? encodeURIComponent(sign) : sign)).join('')
    } catch {
      return run
    }
  })
}
