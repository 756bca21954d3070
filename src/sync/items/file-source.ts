import { createHash } from 'node:crypto'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import type { ItemRow } from '../../catalog/item-fields.ts'
import { BadRequestError, NotFoundError, PayloadTooLargeError } from '../../lib/errors.ts'
import { InvalidFileError, readJsonArray } from '../../lib/json-array.ts'
import { openRegularFile, readNamedFile } from '../../lib/open-regular-file.ts'
import type { Message } from '../../messages/message.ts'
import { message } from '../../messages/say.ts'
import { type FileItem, isBlank, itemOfMember, readFileId, readFileItem } from './file-item.ts'

export const DEFAULT_FILE = 'all_zoho_inventory_items.json'
const MAPPINGS_FILE = 'image_mappings.json'
const MAX_MAPPINGS_BYTES = 64 * 1024 ** 2
const PAGE_ROWS = 200

/** A file of items, found but not read yet. */
export interface ImportFile {
  name: string
  path: string
  /** Item id to the URL of its image. */
  mappings: Map<string, string>
  /** Entries of the mappings that could not be read; the others are used. */
  badMappings: string[]
  /** Changes whenever the items' file or the mappings change. */
  version: string
}

/**
 * Finds a file anywhere on this machine, for the command line, with the mappings beside it. Throws
 * NotFoundError `import_file_not_found`, PayloadTooLargeError.
 */
export async function findImportPath(path: string, { maxBytes }: { maxBytes: number }): Promise<ImportFile> {
  const folder = dirname(path)
  return openImportFile(path, { name: basename(path), folder, mappings: await insideOf(folder, MAPPINGS_FILE), maxBytes })
}

/** Opens an uploaded file, which has no mappings beside it. */
export const findUploadedFile = (path: string, name: string, { maxBytes }: { maxBytes: number }): Promise<ImportFile> =>
  openImportFile(path, { name, folder: dirname(path), mappings: null, maxBytes })

/**
 * Checks a file name and finds the file. Throws BadRequestError `invalid_file_name`, NotFoundError
 * `import_file_not_found`, PayloadTooLargeError.
 */
export async function findImportFile(importsDir: string, name: string, { maxBytes }: { maxBytes: number }): Promise<ImportFile> {
  if (name !== basename(name) || name.includes('\\') || name.startsWith('.') || name.includes('\0') || name === '') {
    throw new BadRequestError('invalid_file_name', { folder: importsDir })
  }
  const path = await insideOf(importsDir, name)
  return openImportFile(path, { name, folder: importsDir, mappings: await insideOf(importsDir, MAPPINGS_FILE), maxBytes })
}

async function openImportFile(
  path: string | null,
  { name, folder, mappings: mappingsPath, maxBytes }: { name: string; folder: string; mappings: string | null; maxBytes: number },
): Promise<ImportFile> {
  const found = path === null ? null : await stat(path).catch(() => null)
  if (path === null || !found?.isFile()) {
    throw new NotFoundError('import_file_not_found', { file: name, folder, default_file: DEFAULT_FILE })
  }
  if (found.size > maxBytes) {
    throw new PayloadTooLargeError('import_file_too_large', { file: name, size: found.size, max_bytes: maxBytes })
  }
  const hash = createHash('sha256')
  await using handle = await openRegularFile(path)
  for await (const chunk of handle.createReadStream()) hash.update(chunk as Buffer)
  const mappings = await readMappings(mappingsPath, hash)
  return { name, path, ...mappings, version: hash.digest('hex').slice(0, 16) }
}

/**
 * Returns the real path of a file in the folder; null when it does not exist. Throws
 * BadRequestError for a link that leads outside: it could expose any file of the machine.
 */
export async function insideOf(folder: string, name: string): Promise<string | null> {
  const [real, root] = await Promise.all([realpath(join(folder, name)).catch(() => null), realpath(folder).catch(() => null)])
  if (real === null || root === null) return null
  if (real.startsWith(root + sep)) return real
  throw new BadRequestError('invalid_file_name.link', { file: name, folder })
}

async function readMappings(
  path: string | null,
  hash: ReturnType<typeof createHash>,
): Promise<Pick<ImportFile, 'mappings' | 'badMappings'>> {
  const found = path === null ? null : await stat(path).catch(() => null)
  if (path === null || !found) return { mappings: new Map(), badMappings: [] }
  if (!found.isFile()) throw new BadRequestError('invalid_mappings', { file: MAPPINGS_FILE })
  if (found.size > MAX_MAPPINGS_BYTES)
    throw new PayloadTooLargeError('import_file_too_large.mappings', {
      file: MAPPINGS_FILE,
      size: found.size,
      max_bytes: MAX_MAPPINGS_BYTES,
    })
  const text = (await readNamedFile(path)).replace(/^\uFEFF/, '')
  hash.update(text)
  const read = parseJson(text)
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    throw new BadRequestError('invalid_mappings', { file: MAPPINGS_FILE })
  }
  const mappings = new Map<string, string>()
  const badMappings: string[] = []
  for (const [key, url] of Object.entries(read)) {
    const id = readFileId(key)
    if ('reason' in id || (typeof url !== 'string' && !isBlank(url))) badMappings.push(key)
    else if (!isBlank(url)) mappings.set(id.id, String(url))
  }
  return { mappings, badMappings }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export interface FilePage {
  rows: ItemRow[]
  /** What the records of the rows say besides. */
  items: FileItem[]
  /** The index of each row in the array. */
  indexes: number[]
  /** What could not be read: its index in the array, its ids as far as known, and the reason. */
  unreadable: { index: number; zoho_item_id: string | null; sku: string | null; reason: Message }[]
}

/**
 * Yields the items of the file in pages, whatever its size, each with the fields that its record
 * has. A saved Zoho response (`{"items": […]}`) and an object of items by their ids are read like
 * the array in them. Throws BadRequestError `invalid_import_file` where the text is none of these.
 */
export async function* readImportFile(
  file: ImportFile,
  { timeZone, signal }: { timeZone: string; signal: AbortSignal },
): AsyncGenerator<FilePage> {
  const newPage = (): FilePage => ({ rows: [], items: [], indexes: [], unreadable: [] })
  let page = newPage()
  try {
    let index = 0
    for await (const values of readJsonArray(file.path, { member: 'items', fromMember: itemOfMember, values: 'any', signal })) {
      for (const value of values) {
        const read = readFileItem(parseItem(value), { mappings: file.mappings, version: file.version, timeZone })
        if ('row' in read) {
          page.rows.push(read.row)
          page.items.push(read)
          page.indexes.push(index)
        } else page.unreadable.push({ index, ...read })
        index++
        if (page.rows.length + page.unreadable.length < PAGE_ROWS) continue
        yield page
        page = newPage()
      }
    }
  } catch (cause) {
    signal.throwIfAborted()
    throw new BadRequestError(
      'invalid_import_file',
      {
        file: file.name,
        problem: cause instanceof InvalidFileError ? cause.finding : cause instanceof Error ? cause.message : message('unreadable'),
      },
      { cause },
    )
  }
  if (page.rows.length + page.unreadable.length > 0) yield page
}

/**
 * Ids and prices that a JavaScript number cannot represent stay texts as written, and so does a
 * large number with an exponent: as an id, a spreadsheet has shortened it.
 */
function parseItem(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, { source }: { source?: string } = {}) => {
    if (typeof value !== 'number' || source === undefined) return value
    const isInexact = source.length >= 16 && String(value) !== source
    return isInexact || (value >= LARGE && /e/i.test(source)) ? source : value
  })
}

/** No price is as high, and all ids of Zoho are. */
const LARGE = 1e12
