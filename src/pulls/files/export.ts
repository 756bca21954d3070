import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Database, Db } from '../../database/client.ts'
import { BOOKS_MODULES, type BooksModule } from '../../facts/books-modules.ts'
import { PRIVATE_FILE_MODE } from '../../lib/data-dir.ts'
import { formatCsvRow } from '../../lib/format-csv.ts'
import { rawMembers } from '../../lib/raw-json.ts'
import { partDocument, readRecords } from '../phases/write-files.ts'
import type { RecordScope } from '../records/upsert.ts'
import { createColumnFinder } from './export-columns.ts'
import { writeParquet } from './export-parquet.ts'

export const EXPORT_FORMATS = ['json', 'csv', 'ndjson', 'parquet'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Of one export: a module of an app, or the line items of its documents. */
export interface ExportSource {
  app: RecordScope['app']
  module: string
  /** Its line items instead of its documents. */
  lineItems: boolean
}

export interface ExportName {
  module: BooksModule
  /** Its line items instead of its documents. */
  lineItems: boolean
}

const LINES = '_line_items'
/** Columns are found in one reading and written in a second one, of the same state. */
const SNAPSHOT = { isolationLevel: 'RepeatableRead', maxWait: 60_000, timeout: 3_600_000 } as const

/** Parses `invoices` or `invoices_line_items`; null for any other name. */
export function readExportName(name: string): ExportName | null {
  const lineItems = name.endsWith(LINES)
  const module = BOOKS_MODULES.find((it) => it.name === (lineItems ? name.slice(0, -LINES.length) : name) && (it.lineItems || !lineItems))
  return module ? { module, lineItems } : null
}
readExportName.names = BOOKS_MODULES.flatMap((it) => [it.name, ...(it.lineItems ? [`${it.name}${LINES}`] : [])])

const booksModule = ({ app, module }: ExportSource): BooksModule | undefined =>
  app === 'books' || app === 'invoice' ? BOOKS_MODULES.find(({ name }) => name === module) : undefined

/** Yields the newest state of a module, each record as Zoho wrote it, in the order of ids. */
async function* exportRecords(db: Db, source: ExportSource): AsyncGenerator<string> {
  const module = booksModule(source)
  for await (const batch of readRecords(db, source, { of: 'all' })) {
    for (const { record_id, raw } of batch) {
      if (!module?.lineItems) {
        yield raw
        continue
      }
      const parts = partDocument(raw, module, record_id)
      if (source.lineItems) yield* parts.lines
      else yield parts.document
    }
  }
}

/** Yields one JSON array, or one record a line. */
async function* joined(records: AsyncIterable<string>, format: 'json' | 'ndjson'): AsyncGenerator<string> {
  if (format === 'ndjson') {
    // A line break of the text is between values: those in texts are escaped.
    for await (const record of records) yield `${record.replace(/\s*[\r\n]+\s*/g, ' ')}\n`
    return
  }
  let before = '[\n'
  for await (const record of records) {
    yield `${before}${record}`
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

/**
 * Writes a module to a file of this account. CSV and Parquet have a column for each key that any
 * record has; nested values are JSON. Returns how many records.
 */
export async function exportToFile(db: Database, source: ExportSource, format: ExportFormat, path: string): Promise<number> {
  let rows = 0
  async function* counted(records: AsyncIterable<string>): AsyncGenerator<string> {
    for await (const record of records) {
      rows++
      yield record
    }
  }
  const write = (texts: AsyncIterable<string>) => pipeline(Readable.from(texts), createWriteStream(path, { mode: PRIVATE_FILE_MODE }))
  if (format === 'json' || format === 'ndjson') {
    await write(joined(counted(exportRecords(db, source)), format))
    return rows
  }
  await db.$transaction(async (tx) => {
    const finder = createColumnFinder({ amount: source.lineItems ? null : (booksModule(source)?.amount ?? null) })
    for await (const record of exportRecords(tx, source)) finder.add(record)
    const columns = finder.columns()
    const records = counted(exportRecords(tx, source))
    if (format === 'parquet') await writeParquet(path, columns, records)
    else
      await write(
        csvRows(
          columns.map(({ name }) => name),
          records,
        ),
      )
  }, SNAPSHOT)
  return rows
}

/** Opens a module as a stream. What needs two readings is written to a temporary file first. */
export async function openExport(db: Database, source: ExportSource, format: ExportFormat): Promise<Readable> {
  if (format === 'json' || format === 'ndjson') return Readable.from(joined(exportRecords(db, source), format))
  const folder = await mkdtemp(join(tmpdir(), 'zinc-export-'))
  try {
    const path = join(folder, 'export')
    await exportToFile(db, source, format, path)
    // It stays readable until it is closed.
    return (await open(path)).createReadStream()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function* csvRows(names: string[], records: AsyncIterable<string>): AsyncGenerator<string> {
  // The byte order mark makes spreadsheets read Arabic names as UTF-8.
  yield `\uFEFF${formatCsvRow(names)}`
  for await (const record of records) {
    const values = rawMembers(record)
    yield formatCsvRow(names.map((name) => textOf(values.get(name))))
  }
}

/** Numbers and nested values keep the digits that Zoho wrote. */
const textOf = (raw: string | undefined): string | null =>
  raw === undefined || raw === 'null' ? null : raw.startsWith('"') ? (JSON.parse(raw) as string) : raw
