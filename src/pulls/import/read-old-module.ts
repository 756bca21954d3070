import { join } from 'node:path'
import type { BooksModule } from '../../facts/books-modules.ts'
import { readJsonArray } from '../../lib/json-array.ts'
import type { ManifestFile } from '../../schemas/pulls.ts'
import { Id, instantIn, parseZohoJson } from '../../zoho/value-types.ts'
import { searchText } from '../records/search-text.ts'
import type { RecordRow } from '../records/upsert.ts'
import type { OldPull } from './find-old-pulls.ts'

export interface OldModule {
  files: ManifestFile[]
  records: number
  lineItems: number | null
  /** Records without a readable id. */
  unreadable: number
  newest: Date | null
}

/**
 * Reads the records of a module's file, each document with its line items where there is a file of
 * them; those are held in memory until their document is read. `onRows` gets them in batches.
 * Throws InvalidFileError for a file that is no array of records.
 */
export async function readOldModule(
  { folder, timeZone }: Pick<OldPull, 'folder'> & { timeZone: string },
  { module, file, linesFile }: OldPull['modules'][number],
  onRows: (rows: RecordRow[]) => Promise<void>,
  signal: AbortSignal,
): Promise<OldModule> {
  const found: OldModule = { files: [], records: 0, lineItems: linesFile === null ? null : 0, unreadable: 0, newest: null }
  const lines = new Map<string, string[]>()
  if (linesFile !== null) {
    const written = yieldAll(join(folder, linesFile), signal)
    for await (const text of written.values) {
      const parent = Id.safeParse(parseZohoJson(text)?.[module.idField]).data
      if (parent === undefined) found.unreadable++
      else lines.set(parent, [...(lines.get(parent) ?? []), text])
      found.lineItems!++
    }
    found.files.push({ file: linesFile, ...written.whole() })
  }
  const read = yieldAll(join(folder, file), signal)
  let batch: RecordRow[] = []
  const flush = async () => {
    // A record that a file has twice: the later one counts.
    if (batch.length > 0) await onRows([...new Map(batch.map((row) => [row.record_id, row])).values()])
    batch = []
  }
  for await (const text of read.values) {
    const row = readRecord(text, module, { lines: linesFile === null ? null : lines, timeZone })
    found.records++
    if (!row) {
      found.unreadable++
      continue
    }
    if (row.modified_at && (found.newest === null || row.modified_at > found.newest)) found.newest = row.modified_at
    if (batch.push(row) >= BATCH_ROWS) await flush()
  }
  await flush()
  found.files.unshift({ file, ...read.whole() })
  return found
}

const BATCH_ROWS = 200

function readRecord(
  text: string,
  module: BooksModule,
  { lines, timeZone }: { lines: Map<string, string[]> | null; timeZone: string },
): RecordRow | null {
  const record = parseZohoJson(text)
  const record_id = Id.safeParse(record?.[module.idField]).data
  if (!record || record_id === undefined) return null
  const raw = lines === null || 'line_items' in record ? text : withLines(text, lines.get(record_id) ?? [])
  return { record_id, raw, modified_at: instantIn(timeZone).safeParse(record.last_modified_time).data ?? null, search: searchText(record) }
}

/** The document with its line items last; without them it is again the text of its file. */
function withLines(document: string, lines: string[]): string {
  const end = document.slice(0, document.lastIndexOf('}')).trimEnd().length
  return `${document.slice(0, end)},"line_items":[${lines.join(',')}]${document.slice(end)}`
}

/** The values of an array, and after them what the file as a whole is. */
function yieldAll(path: string, signal: AbortSignal) {
  let whole = { rows: 0, bytes: 0, sha256: '' }
  async function* values(): AsyncGenerator<string> {
    const reading = readJsonArray(path, { signal })
    for (;;) {
      const next = await reading.next()
      if (next.done) {
        whole = next.value
        return
      }
      yield* next.value
    }
  }
  return { values: values(), whole: () => whole }
}
