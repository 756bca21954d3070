import { join } from 'node:path'
import type { Db } from '../../database/client.ts'
import type { BooksModule } from '../../facts/books-modules.ts'
import { Prisma } from '../../generated/client.ts'
import { makePrivateFolder } from '../../lib/data-dir.ts'
import { rawElements, rawMember, withFirstMember, withoutMember } from '../../lib/raw-json.ts'
import type { ManifestFile } from '../../schemas/pulls.ts'
import { createJsonArrayFile } from '../files/json-array-writer.ts'
import type { RecordScope } from '../records/upsert.ts'

/** Which records of a module go into its file. */
export type Selection =
  | { of: 'all' }
  /** Changed by pulls after this one. */
  | { of: 'changed'; since: number }
  | { of: 'listed'; runId: string; from: number; to: number }
  /** List rows that were staged for this run. */
  | { of: 'staged'; runId: string }

const BATCH_ROWS = 200

interface RawRecord {
  record_id: string
  raw: string
}

/**
 * Yields the records in the order of their ids, in batches, so that any number needs little memory.
 */
export async function* readRecords(db: Db, { app, module }: RecordScope, selection: Selection): AsyncGenerator<RawRecord[]> {
  for (let after = ''; ; ) {
    const batch =
      selection.of === 'staged'
        ? await db.$queryRaw<RawRecord[]>`
            select record_id, raw from pull_row where run_id = ${selection.runId}::uuid and module = ${module} and record_id > ${after}
            order by record_id limit ${BATCH_ROWS}`
        : await db.$queryRaw<RawRecord[]>`
            select record_id, coalesce(raw, data::text) as raw from zoho_record
            where app = ${app} and module = ${module} and record_id > ${after} and deleted_at is null ${condition(selection)}
            order by record_id limit ${BATCH_ROWS}`
    if (batch.length > 0) yield batch
    if (batch.length < BATCH_ROWS) return
    after = batch.at(-1)!.record_id
  }
}

function condition(selection: Exclude<Selection, { of: 'staged' }>): Prisma.Sql {
  if (selection.of === 'changed') return Prisma.sql`and changed_in > ${selection.since}`
  if (selection.of === 'listed')
    return Prisma.sql`and record_id in (select unnest(ids) from run_page where run_id = ${selection.runId}::uuid and number between ${selection.from} and ${selection.to})`
  return Prisma.empty
}

/**
 * Splits a document for its two files: the document without its line items, and each line item with
 * the document's id first.
 */
export function partDocument(raw: string, module: BooksModule, id: string): { document: string; lines: string[] } {
  const lines = rawMember(raw, 'line_items')
  return {
    document: withoutMember(raw, 'line_items'),
    // Zoho sometimes writes an empty list as "".
    lines: lines?.startsWith('[') ? rawElements(lines).map((line) => withFirstMember(line, module.idField, id)) : [],
  }
}

export interface ModuleFiles {
  /** The folder of the session, and the files' path in it. */
  root: string
  inner: string
  /** Also `{module}_line_items.json`. */
  lineItems: boolean
}

/** Writes a module's file, and that of its line items, from these records: whole files or none. */
export async function writeModuleFiles(
  records: AsyncIterable<RawRecord[]>,
  module: BooksModule,
  { root, inner, lineItems }: ModuleFiles,
): Promise<ManifestFile[]> {
  await makePrivateFolder(join(root, inner))
  const names = [`${module.name}.json`, ...(lineItems ? [`${module.name}_line_items.json`] : [])].map((name) => join(inner, name))
  const [documents, lines] = await Promise.all(names.map((name) => createJsonArrayFile(join(root, name))))
  try {
    for await (const batch of records) {
      for (const { record_id, raw } of batch) {
        if (!lines) await documents!.add(raw)
        else {
          const parts = partDocument(raw, module, record_id)
          await documents!.add(parts.document)
          for (const line of parts.lines) await lines.add(line)
        }
      }
    }
    // The line items first: a document's file must never exist without its lines.
    const lineFile = await lines?.finish()
    const documentFile = await documents!.finish()
    return [{ file: names[0]!, ...documentFile }, ...(lineFile ? [{ file: names[1]!, ...lineFile }] : [])]
  } catch (error) {
    await Promise.allSettled([documents?.abandon(), lines?.abandon()])
    throw error
  }
}
