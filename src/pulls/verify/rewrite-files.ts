import { dirname, join } from 'node:path'
import type { Database } from '../../database/client.ts'
import type { BooksModule } from '../../facts/books-modules.ts'
import { makePrivateFolder } from '../../lib/data-dir.ts'
import { InvalidFileError, readJsonArray } from '../../lib/json-array.ts'
import type { ManifestFile, ModuleResult } from '../../schemas/pulls.ts'
import { Id, parseZohoJson } from '../../zoho/value-types.ts'
import type { ModuleScope } from '../checkpoint.ts'
import type { ModuleSource, Source } from '../files/find-sessions.ts'
import { createJsonArrayFile, writeWhole } from '../files/json-array-writer.ts'
import { sessionReadme } from '../files/session-readme.ts'
import { sessionSummary } from '../files/session-writer.ts'
import { partDocument } from '../phases/write-files.ts'

const BATCH_ROWS = 200

export interface Rewrite {
  /** Removed. */
  drop: ReadonlySet<string>
  /** Written again from the database, instead of the file's text. */
  write: string[]
}

/**
 * Yields the readable records of a file one at a time; what comes after a syntax error is lost, and
 * is written again from the database.
 */
export async function* readableRecords(path: string, idField: string): AsyncGenerator<{ id: string; text: string }> {
  try {
    for await (const texts of readJsonArray(path)) {
      for (const text of texts) {
        const id = Id.safeParse(parseZohoJson(text)?.[idField]).data
        if (id !== undefined) yield { id, text }
      }
    }
  } catch (error) {
    if (!(error instanceof InvalidFileError) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/**
 * Writes a module's files of one pull again, and its manifest after them: after a crash in between,
 * the next check shows which file differs.
 */
export async function rewriteModule(
  db: Database,
  module: BooksModule,
  scope: ModuleScope,
  { source, file, linesFile }: ModuleSource,
  { drop, write }: Rewrite,
): Promise<void> {
  await makePrivateFolder(dirname(join(source.root, file)))
  const documents = await createJsonArrayFile(join(source.root, file))
  const lines = linesFile === null ? null : await createJsonArrayFile(join(source.root, linesFile))
  try {
    const rewritten = new Set(write)
    const kept = new Set<string>()
    for await (const { id, text } of readableRecords(join(source.root, file), module.idField)) {
      if (drop.has(id) || rewritten.has(id) || kept.has(id)) continue
      kept.add(id)
      await documents.add(text)
    }
    if (lines) {
      for await (const { id, text } of readableRecords(join(source.root, linesFile!), module.idField))
        if (kept.has(id)) await lines.add(text)
    }
    for (let at = 0; at < write.length; at += BATCH_ROWS) {
      const rows = await db.$queryRaw<{ record_id: string; raw: string }[]>`
        select record_id, coalesce(raw, data::text) as raw from zoho_record
        where app = ${scope.app} and module = ${scope.module} and deleted_at is null and record_id = any(${write.slice(at, at + BATCH_ROWS)})
        order by record_id`
      for (const { record_id, raw } of rows) {
        const parts = module.lineItems ? partDocument(raw, module, record_id) : { document: raw, lines: [] }
        await documents.add(parts.document)
        if (lines) for (const line of parts.lines) await lines.add(line)
      }
    }
    const written: ManifestFile[] = []
    if (lines) written.push({ file: linesFile!, ...(await lines.finish()) })
    written.push({ file, ...(await documents.finish()) })
    await noteFiles(source, module, written)
  } catch (error) {
    await Promise.allSettled([documents.abandon(), lines?.abandon()])
    throw error
  }
}

/** Updates the manifest and the other files that contain the number of records. */
async function noteFiles(source: Source, module: BooksModule, written: ManifestFile[]): Promise<void> {
  if (source.about === null) return
  const files = new Map((source.manifest?.files ?? []).map((it) => [it.file, it]))
  for (const it of written) files.set(it.file, it)
  const manifest = {
    session: source.manifest?.session ?? source.info?.session ?? source.stamp,
    created_at: source.manifest?.created_at ?? new Date().toISOString(),
    files: [...files.values()],
  }
  if (source.info) {
    const rowsOf = (ending: string) => written.find((it) => it.file.endsWith(ending))?.rows
    const records = rowsOf(`/${module.name}.json`) ?? rowsOf(`${module.name}.json`) ?? 0
    const line_items = rowsOf('_line_items.json') ?? null
    const modules = source.info.modules.map(
      (it): ModuleResult =>
        it.module === module.name
          ? { ...it, records, line_items, ...(it.state !== 'success' && { state: 'success', mode: 'full', error: null }) }
          : it,
    )
    const failed = modules.some((it) => it.state === 'failed')
    source.info = { ...source.info, modules, status: source.info.status === 'incomplete' && !failed ? 'complete' : source.info.status }
    await writeWhole(source.about('session_info.json'), `${JSON.stringify(source.info, null, 2)}\n`)
    if (source.session !== null) {
      await makePrivateFolder(join(source.root, 'reports'))
      await writeWhole(join(source.root, 'README.md'), sessionReadme(source.info, manifest))
      await writeWhole(
        join(source.root, 'reports', 'session_summary.json'),
        `${JSON.stringify(sessionSummary(source.info, manifest), null, 2)}\n`,
      )
    }
  }
  source.manifest = manifest
  await writeWhole(source.about('manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}
