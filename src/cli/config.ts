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
    .action(
      action(async (context, file: string) => {
        const read = await readZohoConfig(file)
        const { connect } = await context.services()
        const { changed, fixed, left } = await importZohoConfig(read, { settings: connect.settings, actor: SYSTEM_ACTOR })
        for (const field of fixed) context.say(`${field} is left as it is: the environment sets it, which beats what is stored.`)
        if (left.length > 0) context.say(`Left, because zinc has no such setting: ${left.join(', ')}.`)
        context.result(
          { status: 'success', stored: changed, fixed_by_environment: fixed, left },
          changed.length === 0
            ? 'Nothing to import: these settings are already stored.'
            : `Stored: ${changed.join(', ')}. ${file} still holds the secrets; remove it when you do not need it any more.`,
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
