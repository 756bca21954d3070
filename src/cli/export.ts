import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import type { Command } from 'commander'
import { BadRequestError, NotFoundError } from '../lib/errors.ts'
import { EXPORT_FORMATS, type ExportFormat, type ExportSource, exportToFile, openExport, readExportName } from '../pulls/files/export.ts'
import { recordAudit, SYSTEM_ACTOR } from '../settings/audit-log.ts'
import type { Action, ExitStatus } from './context.ts'
import { didYouMean, readApp } from './pull-args.ts'

export function addExport(program: Command, action: Action): void {
  program
    .command('export <module>')
    .description('export the latest state of a module to a file; use {module}_line_items for its line items alone')
    .option('-o, --output <file>', 'write to a file instead of stdout; needed for parquet, which has a second file with the line items')
    .option('--format <format>', EXPORT_FORMATS.join(', '), 'json')
    .option('--app <app>', 'books or invoice', 'books')
    .action(
      action(async (context, name: string, options: { output?: string; format: string; app: string }): Promise<ExitStatus> => {
        const requested = readExportName(name)
        if (!requested) throw new BadRequestError('unknown_module.export', { name, hint: didYouMean(name, readExportName.names) })
        const format = readFormat(options.format)
        const { output } = options
        if (format === 'parquet' && output === undefined) throw new BadRequestError('output_required')
        const app = readApp(options.app)
        const { module, lineItems } = requested
        const { db } = await context.services({ mustExist: true })
        if (!(await db.pullModule.findUnique({ where: { app_module: { app, module: module.name } } })))
          throw new NotFoundError('no_data.module', { module: module.name })
        await recordAudit(db, { ...SYSTEM_ACTOR, action: 'pull.export', target: `pull.${app}.${module.name}` })
        // Otherwise the heap grows by garbage: twice the memory for 100,000 rows.
        setFlagsFromString('--optimize-for-size')
        const source: ExportSource = { app, module: module.name, lineItems }
        if (output === undefined) {
          await pipeline(await openExport(db, source, format), process.stdout, { end: false })
          return 0
        }
        const files = [{ source, file: output }]
        if (format === 'parquet' && module.lineItems && !lineItems)
          files.push({ source: { ...source, lineItems: true }, file: `${output.replace(/\.parquet$/, '')}.line_items.parquet` })
        const written: { file: string; rows: number }[] = []
        for (const { source, file } of files)
          written.push({ file, rows: await writeWhole(file, (path) => exportToFile(db, source, format, path)) })
        const [{ file, rows } = { file: output, rows: 0 }, lines] = written
        context.result(
          { status: 'success', file, rows, ...(lines && { line_items: lines }) },
          written.map((it) => `${it.rows} records written to ${it.file}.`).join('\n'),
        )
        return 0
      }),
    )
}

function readFormat(format: string): ExportFormat {
  const found = EXPORT_FORMATS.find((it) => it === format)
  if (!found) throw new BadRequestError('unknown_format', { formats: EXPORT_FORMATS })
  return found
}

/** A file under its name is always a whole one. */
async function writeWhole(file: string, write: (path: string) => Promise<number>): Promise<number> {
  const partial = join(dirname(file), `.${basename(file)}.part`)
  try {
    const rows = await write(partial)
    await rename(partial, file)
    return rows
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}
