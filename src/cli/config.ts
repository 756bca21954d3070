import type { Command } from 'commander'
import { maskSettings, settingsLines } from '../connection/settings-view.ts'
import { SYSTEM_ACTOR } from '../settings/audit-log.ts'
import { importZohoConfig, readZohoConfig } from '../settings/zoho-config-file.ts'
import type { Action } from './context.ts'

export function addConfig(program: Command, action: Action): void {
  const config = program.command('config').description('the connection to Zoho: take it over from a file, or show it')
  config
    .command('import <file>')
    .description('store client_id, client_secret, refresh_token and organization_id of a zoho_config.json, the secrets encrypted')
    .action(
      action(async (context, file: string) => {
        const read = await readZohoConfig(file)
        const { connect } = await context.services()
        const { changed, fixed } = await importZohoConfig(read, { settings: connect.settings, actor: SYSTEM_ACTOR })
        for (const field of fixed) context.say(`${field} is left as it is: the environment sets it, which beats what is stored.`)
        context.result(
          { status: 'success', stored: changed, fixed_by_environment: fixed },
          changed.length === 0
            ? 'Nothing was new.'
            : `Stored: ${changed.join(', ')}. ${file} still holds the secrets; remove it when you do not need it any more.`,
        )
        return undefined
      }),
    )
  config
    .command('show')
    .description('the settings that count now, where each comes from, secrets masked, and how the connection stands')
    .action(
      action(async (context) => {
        const { connect, modules } = await context.services({ mustExist: true })
        const settings = await maskSettings(connect)
        context.result({ status: 'success', data: { ...settings, modules: await modules.list() } }, settingsLines(settings).join('\n'))
        return undefined
      }),
    )
}
