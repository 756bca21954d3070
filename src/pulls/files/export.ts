import type { Db } from '../../database/client.ts'
import { BOOKS_MODULES, type BooksModule } from '../../facts/books-modules.ts'
import type { ModuleScope } from '../checkpoint.ts'
import { partDocument, readRecords } from '../phases/write-files.ts'

export interface ExportName {
  module: BooksModule
  /** Its line items instead of its documents. */
  lineItems: boolean
}

const LINES = '_line_items'

/** Parses `invoices` or `invoices_line_items`; null for any other name. */
export function readExportName(name: string): ExportName | null {
  const lineItems = name.endsWith(LINES)
  const module = BOOKS_MODULES.find((it) => it.name === (lineItems ? name.slice(0, -LINES.length) : name) && (it.lineItems || !lineItems))
  return module ? { module, lineItems } : null
}
readExportName.names = BOOKS_MODULES.flatMap((it) => [it.name, ...(it.lineItems ? [`${it.name}${LINES}`] : [])])

/**
 * Yields the newest state of a module as one file would have it: each record as Zoho wrote it, in
 * the order of ids.
 */
export async function* exportRecords(db: Db, app: ModuleScope['app'], { module, lineItems }: ExportName): AsyncGenerator<string> {
  for await (const batch of readRecords(db, { app, module: module.name }, { of: 'all' })) {
    for (const { record_id, raw } of batch) {
      if (!module.lineItems) {
        yield raw
        continue
      }
      const parts = partDocument(raw, module, record_id)
      if (lineItems) yield* parts.lines
      else yield parts.document
    }
  }
}
