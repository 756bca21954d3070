import { type Command, InvalidArgumentError } from 'commander'
import type { Action } from './context.ts'
import { addEdgeCommands } from './edge.ts'

const days = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 36_500)) throw new InvalidArgumentError('must be a number of days')
  return value
}

/** `zinc edge …`: the commands of an edge server, and those of head office for it. */
export function addEdge(program: Command, action: Action): void {
  const edge = program.command('edge').description('run a store’s edge server: pull its images, keep them up to date, check the server')
  addEdgeCommands(edge, action, [process.execPath, process.argv[1] ?? 'zinc', 'edge'], async (username, signal) => {
    const { askPassword } = await import('./prompt-password.ts')
    return askPassword(username, signal)
  })
  edge
    .command('prune')
    .description('delete old records of deletions; a store that has not read them yet lists everything again')
    .option('--older-than <days>', 'age of the deletions (default: TOMBSTONE_DAYS)', days)
    .action(
      action(async (context, { olderThan }: { olderThan?: number }) => {
        const { db } = await context.services({ mustExist: true })
        const { pruneTombstones } = await import('../photo-sync/prune-tombstones.ts')
        const pruned = await pruneTombstones(db, { olderThanDays: olderThan ?? context.config.edges.tombstoneDays })
        context.result(
          { status: 'success', ...pruned },
          `${pruned.photos} deleted photos and ${pruned.events} moves in assortments are forgotten.`,
        )
        return undefined
      }),
    )
}
