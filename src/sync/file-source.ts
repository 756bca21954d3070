import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import chain from 'stream-chain'
import { parser } from 'stream-json'
import type { Token } from 'stream-json/parser.js'
import { streamArray } from 'stream-json/streamers/stream-array.js'
import { z } from 'zod'
import type { ItemRow } from '../catalog/item-fields.ts'
import { BadInput, NotFound, TooLarge } from '../errors.ts'
import { readFileItem } from './file-item.ts'

export const DEFAULT_FILE = 'all_zoho_inventory_items.json'
const MAPPINGS_FILE = 'image_mappings.json'
const MAX_MAPPINGS_BYTES = 64 * 1024 ** 2
const PAGE_ROWS = 200

/** A file of items inside DATA_DIR/imports, looked at but not read. */
export interface ImportFile {
  name: string
  path: string
  /** Item id to the address of its picture. */
  mappings: Map<string, string>
  /** Changes whenever the items' file or the mappings do. */
  version: string
}

/** Checks a name and looks for its file. Throws BadInput `bad_file_name`, NotFound `import_file_not_found`, TooLarge. */
export async function findImportFile(importsDir: string, name: string, { maxBytes }: { maxBytes: number }): Promise<ImportFile> {
  if (name !== basename(name) || name.includes('\\') || name.startsWith('.') || name.includes('\0') || name === '') {
    throw new BadInput('bad_file_name', 'file is wrong: it must be a plain file name', {
      remedy: `Put the file into ${importsDir} and name it without a folder.`,
    })
  }
  const path = join(importsDir, name)
  const found = await stat(path).catch(() => null)
  if (!found?.isFile()) {
    throw new NotFound('import_file_not_found', `There is no file ${name} in ${importsDir}`, {
      detail: { file: name },
      remedy: `Put it there; without \`file\` zinc looks for ${DEFAULT_FILE}.`,
    })
  }
  if (found.size > maxBytes) {
    throw new TooLarge('import_file_too_large', `${name} has ${found.size} bytes; at most ${maxBytes} are read`, {
      remedy: 'Split it, or raise MAX_IMPORT_BYTES.',
    })
  }
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  const mappings = await readMappings(join(importsDir, MAPPINGS_FILE), hash)
  return { name, path, mappings, version: hash.digest('hex').slice(0, 16) }
}

async function readMappings(path: string, hash: ReturnType<typeof createHash>): Promise<Map<string, string>> {
  const found = await stat(path).catch(() => null)
  if (!found) return new Map()
  if (found.size > MAX_MAPPINGS_BYTES)
    throw new TooLarge('import_file_too_large', `${MAPPINGS_FILE} has ${found.size} bytes; at most ${MAX_MAPPINGS_BYTES} are read`, {
      remedy: 'Put the addresses into the items as image_url.',
    })
  const text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  hash.update(text)
  const read = z.record(z.string(), z.string()).safeParse(parseJson(text))
  if (!read.success) {
    throw new BadInput('bad_mappings', `${MAPPINGS_FILE} is not an object of item ids and addresses`, {
      remedy: 'Write it as {"<zoho_item_id>": "<url>"}, or take it away.',
    })
  }
  return new Map(Object.entries(read.data))
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
  /** What could not be read: its place in the array, what it says it is, and why. */
  unreadable: { index: number; zoho_item_id: string | null; sku: string | null; reason: string }[]
}

/**
 * The items of the file, in pages, whatever its size; each with the fields that its record carries. Throws BadInput `bad_import_file` where the text stops being a JSON array.
 */
export async function* readImportFile(file: ImportFile, signal: AbortSignal): AsyncGenerator<FilePage> {
  const pipeline = chain([
    createReadStream(file.path, { signal }),
    asText(),
    parser({ packValues: true, streamValues: false }),
    keepLongNumbers,
    streamArray(),
  ])
  let page: FilePage = { rows: [], unreadable: [] }
  try {
    for await (const { key, value } of pipeline as AsyncIterable<{ key: number; value: unknown }>) {
      const read = readFileItem(value, { mappings: file.mappings, version: file.version })
      if ('row' in read) page.rows.push(read.row)
      else page.unreadable.push({ index: key, ...read })
      if (page.rows.length + page.unreadable.length < PAGE_ROWS) continue
      yield page
      page = { rows: [], unreadable: [] }
    }
  } catch (cause) {
    signal.throwIfAborted()
    throw new BadInput(
      'bad_import_file',
      `${file.name} is not a JSON array of items: ${cause instanceof Error ? cause.message : 'it cannot be read'}`,
      {
        cause,
        remedy: "Export it again; it must be an array, in Zoho's own shape or in zinc's.",
      },
    )
  } finally {
    pipeline.destroy()
  }
  if (page.rows.length + page.unreadable.length > 0) yield page
}

/** A byte order mark, which editors put in front, is left out; bytes that are no UTF-8 are an error and not replaced by guesses. */
function asText() {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return (chunk: Buffer): string => decoder.decode(chunk, { stream: true })
}

/** Ids and prices that a JavaScript number cannot hold stay texts as written. */
function keepLongNumbers(token: Token): Token {
  if (token.name !== 'numberValue' || token.value.length < 16 || String(Number(token.value)) === token.value) return token
  return { name: 'stringValue', value: token.value }
}
