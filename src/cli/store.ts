import type { Command } from 'commander'
import { IMAGE_SIZES } from '../facts/variants.ts'
import { BadRequestError } from '../lib/errors.ts'
import { StoreBody } from '../schemas/stores.ts'
import { SYSTEM_ACTOR } from '../settings/audit-log.ts'
import type { Action } from './context.ts'
import { addStoreImport } from './store-import.ts'

export function addStore(program: Command, action: Action): void {
  const store = program.command('store').description('manage stores')
  store
    .command('add')
    .description('add a store')
    .requiredOption('--code <code>', 'short and unique, e.g. BGH-01')
    .requiredOption('--name <name>', 'as people call it')
    .option('--variant <variant>', `default image size: ${IMAGE_SIZES.join(', ')}`)
    .action(
      action(async (context, options: { code: string; name: string; variant?: string }) => {
        const body = StoreBody.safeParse(options)
        if (!body.success)
          throw new BadRequestError('invalid_store', {
            issues: body.error.issues.map((issue) => `--${issue.path.join('.')}: ${issue.message}`),
          })
        const { stores } = await context.services()
        const { id, code, name } = await stores.create(body.data, SYSTEM_ACTOR)
        context.result({ status: 'success', data: { id, code, name } }, id)
        context.say(`Next: npx zinc token issue --store ${code} --name "its edge server" > token`)
        return undefined
      }),
    )
  addStoreImport(store, action)
  store
    .command('list')
    .description('list stores and when their edge servers were last seen')
    .action(
      action(async (context) => {
        const { stores } = await context.services({ mustExist: true })
        const rows = (await stores.list()).map(({ id, code, name, variant, last_seen_at }) => ({ id, code, name, variant, last_seen_at }))
        const text = rows.map((row) => [row.id, row.code, row.name, row.last_seen_at?.toISOString() ?? 'never seen'].join('\t')).join('\n')
        context.result({ status: 'success', data: rows }, text || 'No stores yet. Create one with: zinc store add --code C --name N')
        return undefined
      }),
    )
}
