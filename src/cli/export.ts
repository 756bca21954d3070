import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Command } from 'commander'
import { PRIVATE_FILE_MODE } from '../lib/data-dir.ts'
import { BadRequestError, NotFoundError } from '../lib/errors.ts'
import { exportRecords, readExportName } from '../pulls/files/export.ts'
import { recordAudit, SYSTEM_ACTOR } from '../settings/audit-log.ts'
import type { Action, ExitStatus } from './context.ts'
import { didYouMean, readApp } from './pull-args.ts'

export function addExport(program: Command, action: Action): void {
  program
    .command('export <module>')
    .description('export the latest state of a module as one JSON array; use {module}_line_items for its line items')
    .option('-o, --output <file>', 'write to a file instead of stdout')
    .option('--app <app>', 'books or invoice', 'books')
    .action(
      action(async (context, name: string, options: { output?: string; app: string }): Promise<ExitStatus> => {
        const requested = readExportName(name)
        if (!requested) throw new BadRequestError('unknown_module.export', { name, hint: didYouMean(name, readExportName.names) })
        const { db } = await context.services({ mustExist: true })
        const app = readApp(options.app)
        if (!(await db.pullModule.findUnique({ where: { app_module: { app, module: requested.module.name } } })))
          throw new NotFoundError('no_data.module', { module: requested.module.name })
        await recordAudit(db, { ...SYSTEM_ACTOR, action: 'pull.export', target: `pull.${app}.${requested.module.name}` })
        const texts = exportRecords(db, app, requested)
        if (options.output === undefined) {
          await pour(texts, process.stdout)
          process.stdout.write('\n')
          return 0
        }
        const partial = join(dirname(options.output), `.${basename(options.output)}.part`)
        const out = createWriteStream(partial, { mode: PRIVATE_FILE_MODE })
        try {
          const rows = await pour(texts, out)
          out.end('\n')
          await finished(out)
          await rename(partial, options.output)
          context.result({ status: 'success', file: options.output, rows }, `${rows} records written to ${options.output}.`)
          return 0
        } catch (error) {
          out.destroy()
          await rm(partial, { force: true })
          throw error
        }
      }),
    )
}

/** Writes an array, one record a line, no faster than the reader takes it. */
async function pour(texts: AsyncIterable<string>, out: Writable): Promise<number> {
  let rows = 0
  for await (const text of texts) {
    const more = out.write(`${rows === 0 ? '[\n' : ',\n'}${text}`)
    rows++
    if (!more) await once(out, 'drain')
  }
  out.write(rows === 0 ? '[]' : '\n]')
  return rows
}
