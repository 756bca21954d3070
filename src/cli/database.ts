import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { dumpDatabase, restoreDatabase } from '../database/dump.ts'
import { migrate } from '../database/migrate.ts'
import { BadRequestError } from '../lib/errors.ts'
import type { Action } from './context.ts'
import { withDatabase } from './context.ts'

export function addDatabase(program: Command, action: Action): void {
  program
    .command('migrate')
    .description('bring the database to the newest version')
    .action(
      action(async (context) => {
        await withDatabase(context, (url) => migrate(url, context))
        context.result({ status: 'success' }, 'The database is up to date.')
        return undefined
      }),
    )

  const db = program.command('db').description('save the database to a file, or fill an empty one from it')
  db.command('dump <file>')
    .description('write everything in the database to a file, while zinc works on; keep DATA_DIR/images and DATA_DIR/settings beside it')
    .action(
      action(async (context, file: string) => {
        const { tables, rows } = await withDatabase(context, (url) => dumpDatabase(url, file))
        const bytes = (await stat(file)).size
        context.result(
          { status: 'success', file, tables, rows, bytes },
          `${rows} rows of ${tables} tables are in ${file} (${bytes} bytes).`,
        )
        return undefined
      }),
    )
  db.command('restore <file>')
    .description('fill an empty database from a dump')
    .action(
      action(async (context, file: string) => {
        await stat(file).catch((cause: Error) => {
          throw new BadRequestError('file_not_found', { file }, { cause })
        })
        const { rows } = await withDatabase(context, (url) => restoreDatabase(url, file, context))
        context.result(
          { status: 'success', rows },
          `${rows} rows are restored. Put the images and settings folders of the same time beside it, then start zinc.`,
        )
        return undefined
      }),
    )
}
