import type { Command } from 'commander'
import { z } from 'zod'
import { BadRequestError } from '../lib/errors.ts'
import { findStoreByName } from '../photo-sync/stores.ts'
import { EdgeTokenBody } from '../schemas/stores.ts'
import { SYSTEM_ACTOR } from '../settings/audit-log.ts'
import type { Action } from './context.ts'

export function addToken(program: Command, action: Action): void {
  const token = program.command('token').description('tokens of edge servers, each bound to its store')
  token
    .command('issue')
    .description('make a token and print it, this once')
    .requiredOption('--store <id>', 'the id or code of the store')
    .requiredOption('--name <name>', 'which edge server it is for')
    .option('--days <days>', 'how long it lives; 0 for no end', '365')
    .action(
      action(async (context, options: { store: string; name: string; days: string }) => {
        const days = Number(options.days)
        const body = EdgeTokenBody.safeParse({ name: options.name, expires_in_days: days === 0 ? null : days })
        if (!body.success) throw new BadRequestError('invalid_token_options')
        const { db, edgeTokens } = await context.services({ mustExist: true })
        const store = await findStoreByName(db, options.store)
        const { token: secret, row } = await edgeTokens.issue(store.id, body.data, SYSTEM_ACTOR)
        context.say(`Token ${row.id} of store ${store.code}, ${row.expires_at ? `until ${row.expires_at.toISOString()}` : 'without end'}:`)
        context.result({ status: 'success', data: { id: row.id, token: secret, expires_at: row.expires_at } }, secret)
        return undefined
      }),
    )
  token
    .command('revoke <token-id>')
    .description('refuse a token from now on')
    .action(
      action(async (context, id: string) => {
        if (!z.uuid().safeParse(id).success) throw new BadRequestError('invalid_token_id')
        const { edgeTokens } = await context.services({ mustExist: true })
        const row = await edgeTokens.revoke(null, id, SYSTEM_ACTOR)
        context.result({ status: 'success', data: { id: row.id, revoked_at: row.revoked_at } }, `Token ${row.id} is revoked.`)
        return undefined
      }),
    )
  token
    .command('list')
    .description('the tokens of a store, without their secrets')
    .requiredOption('--store <id>', 'the id or code of the store')
    .action(
      action(async (context, options: { store: string }) => {
        const { db, edgeTokens } = await context.services({ mustExist: true })
        const rows = await edgeTokens.list((await findStoreByName(db, options.store)).id)
        const state = (row: (typeof rows)[number]) =>
          row.revoked_at ? `revoked ${row.revoked_at.toISOString()}` : (row.expires_at?.toISOString() ?? 'no end')
        context.result(
          { status: 'success', data: rows },
          rows.map((row) => [row.id, row.name, state(row)].join('\t')).join('\n') || 'There is none.',
        )
        return undefined
      }),
    )
}
