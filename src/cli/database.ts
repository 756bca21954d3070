import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { dumpDatabase, restoreDatabase } from '../database/dump.ts'
import { migrate } from '../database/migrate.ts'
import { grantReader, READER_SCHEMA, revokeReader } from '../database/reader-role.ts'
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

  const db = program.command('db').description('save the database to a file, fill an empty one from it, or let another program read it')
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
  db.command('reader')
    .description('make or renew a login for another program that can only read the views of schema erp; the password is shown once')
    .requiredOption('--name <name>', 'name of the login')
    .option('--revoke', 'remove the login')
    .action(
      action(async (context, { name, revoke = false }: { name: string; revoke?: boolean }) => {
        await withDatabase(context, async (url) => {
          await migrate(url, context)
          const reader = revoke ? await revokeReader(url, name) : await grantReader(url, name)
          if (reader)
            context.result(
              { status: 'success', data: { ...reader, schema: READER_SCHEMA } },
              `${name} can read the views of schema ${READER_SCHEMA}. The password is not shown again.\nPassword: ${reader.password}\nURL: ${reader.url}`,
            )
          else context.result({ status: 'success', data: { name } }, `The login ${name} is removed.`)
        })
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
