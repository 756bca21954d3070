import type { Command } from 'commander'
import { maskSettings, settingsLines } from '../connection/settings-view.ts'
import { SYSTEM_ACTOR } from '../settings/audit-log.ts'
import { importZohoConfig, readZohoConfig } from '../settings/zoho-config-file.ts'
import type { Action } from './context.ts'

export function addConfig(program: Command, action: Action): void {
  const config = program.command('config').description('import or show the Zoho connection settings')
  config
    .command('import <file>')
    .description('import the connection, `enabled` and `modules` of a zoho_config.json; secrets are stored encrypted')
    .option('--dry-run', 'only show what would be stored, and what would be left and why')
    .action(
      action(async (context, file: string, { dryRun = false }: { dryRun?: boolean }) => {
        const read = await readZohoConfig(file)
        const { connect } = await context.services({ mustExist: dryRun })
        const { changed, fixed, masked, left } = await importZohoConfig(read, { settings: connect.settings, actor: SYSTEM_ACTOR, dryRun })
        for (const field of fixed) context.say(`${field} is left unchanged: the environment sets it, which takes precedence.`)
        for (const field of masked) context.say(`${field} is left unchanged: the file has only a mask of it. Enter it under Connection.`)
        if (left.length > 0) context.say(`Left, because zinc has no such setting: ${left.join(', ')}.`)
        const stored = dryRun
          ? `Would be stored: ${changed.join(', ')}.`
          : `Stored: ${changed.join(', ')}. ${file} still holds the secrets; remove it when you do not need it any more.`
        context.result(
          { status: 'success', dry_run: dryRun, stored: changed, fixed_by_environment: fixed, masked, left },
          changed.length === 0 ? 'Nothing to import: these settings are already stored.' : stored,
        )
        return undefined
      }),
    )
  config
    .command('show')
    .description('show the current settings (secrets masked), the source of each, and the connection state')
    .action(
      action(async (context) => {
        const { connect, modules } = await context.services({ mustExist: true })
        const settings = await maskSettings(connect)
        context.result({ status: 'success', data: { ...settings, modules: await modules.list() } }, settingsLines(settings).join('\n'))
        return undefined
      }),
    )
}
