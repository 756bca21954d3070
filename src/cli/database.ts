import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { dumpDatabase } from '../database/dump.ts'
import { migrate } from '../database/migrate.ts'
import { grantReader, READER_SCHEMA, revokeReader } from '../database/reader-role.ts'
import { restoreDatabase } from '../database/restore-dump.ts'
import { openNamedFile } from '../lib/open-regular-file.ts'
import type { Action } from './context.ts'
import { withDatabase } from './context.ts'

export function addDatabase(program: Command, action: Action): void {
  program
    .command('migrate')
    .description('upgrade the database to the latest version')
    .action(
      action(async (context) => {
        await withDatabase(context, (url) => migrate(url, context))
        context.result({ status: 'success' }, 'The database is up to date.')
        return undefined
      }),
    )

  const db = program.command('db').description('dump or restore the database, or give another program read access')
  db.command('dump <file>')
    .description('dump the database to a file while zinc keeps running; also back up DATA_DIR/images and DATA_DIR/settings')
    .action(
      action(async (context, file: string) => {
        const { tables, rows } = await withDatabase(context, (url) => dumpDatabase(url, file))
        const bytes = (await stat(file)).size
        context.result(
          { status: 'success', file, tables, rows, bytes },
          `${rows} rows of ${tables} tables written to ${file} (${bytes} bytes).`,
        )
        return undefined
      }),
    )
  db.command('reader')
    .description('create or renew a read-only login for the views in schema erp; the password is shown once')
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
          else context.result({ status: 'success', data: { name } }, `Removed the login ${name}.`)
        })
        return undefined
      }),
    )
  db.command('restore <file>')
    .description('restore a dump into an empty database')
    .action(
      action(async (context, file: string) => {
        await (await openNamedFile(file)).close()
        const { rows } = await withDatabase(context, (url) => restoreDatabase(url, file, context))
        context.result(
          { status: 'success', rows },
          `${rows} rows restored. Restore the images and settings folders from the same backup, then start zinc.`,
        )
        return undefined
      }),
    )
}
