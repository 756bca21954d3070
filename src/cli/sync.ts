import { type Command, Option } from 'commander'
import type { ItemSyncResult } from '../schemas/runs.ts'
import { DEFAULT_FILE, findImportFile } from '../sync/items/file-source.ts'
import { itemSyncResult } from '../sync/items/item-sync-result.ts'
import { ITEM_SYNC } from '../sync/items/item-sync-run.ts'
import type { ItemSyncParams } from '../sync/items/params.ts'
import { resetItemSync } from '../sync/items/reset.ts'
import type { Action, ExitStatus } from './context.ts'
import { watchRun } from './progress-bar.ts'

interface SyncItemsOptions {
  images?: true
  full?: true
  dryRun?: true
  source: 'api' | 'file'
  file?: string
  confirmRemovals?: true
}

export function addSync(program: Command, action: Action): void {
  const sync = program.command('sync').description('sync the catalogue from Zoho or a file')
  sync
    .command('items')
    .description('sync items, and optionally their images')
    .option('--images', 'include images')
    .option('--full', 'full sync; also finds items deleted in Zoho')
    .option('--dry-run', 'only show what would change')
    .addOption(new Option('--source <source>', 'where the items come from').choices(['api', 'file']).default('api'))
    .option('--file <name>', 'with --source file: a file in DATA_DIR/imports')
    .option('--confirm-removals', 'allow removing more than 20 % of the items')
    .action(
      action(async (context, options: SyncItemsOptions): Promise<ExitStatus> => {
        const { runs, db, itemSync } = await context.services()
        // A wrong name or a missing file is reported immediately and leaves no failed run.
        if (options.source === 'file')
          await findImportFile(itemSync.importsDir, options.file ?? DEFAULT_FILE, { maxBytes: itemSync.maxImportBytes })
        const params: Partial<ItemSyncParams> = {
          source: options.source,
          sync_images: options.images ?? false,
          dry_run: options.dryRun ?? false,
          confirm_removals: options.confirmRemovals ?? false,
          ...(options.full && { mode: 'full' }),
          ...(options.file !== undefined && { file: options.file }),
        }
        const { run_id } = await runs.start(ITEM_SYNC, params, { startedBy: 'command line' })
        const run = await watchRun(runs, run_id, context)
        // A signal ends only the display; the run itself is paused when the services close.
        context.signal.throwIfAborted()
        const result = await itemSyncResult(db, run)
        context.result(result, describeItemSync(result))
        return run.state === 'success' ? 0 : 1
      }),
    )
  sync
    .command('reset')
    .description('reset the sync position, so that the next sync reads everything again; nothing is deleted')
    .option('--images', 'also download every image from Zoho again')
    .action(
      action(async (context, { images = false }: { images?: boolean }): Promise<ExitStatus> => {
        const { db } = await context.services()
        const { pictures: all } = await resetItemSync(db, { images })
        context.result(
          { status: 'success', data: { pictures: all } },
          images ? `The next sync reads every item and downloads ${all} images again.` : 'The next sync reads every item again.',
        )
        return 0
      }),
    )
}

/** Returns the counts and the first failures of an item sync as text. */
export function describeItemSync({ status, mode, statistics: s, errors, cause, remedy, resumes_at }: ItemSyncResult): string {
  const lines = [
    `${status} (${mode}): ${s.total} items listed, ${s.new} new, ${s.updated} updated, ${s.unchanged} unchanged, ${s.removed} removed, ${s.failed} failed`,
    `images: ${s.images_downloaded} downloaded, ${s.images_unchanged} unchanged, ${s.images_missing} without, ${s.images_failed} failed; ${s.api_calls} calls to Zoho`,
    ...errors.slice(0, 20).map((it) => `  ${it.code} ${it.zoho_item_id ?? it.sku ?? ''}: ${it.message}`),
    ...(errors.length > 20 ? [`  … and ${errors.length - 20} more; --json lists them`] : []),
    ...(cause === undefined ? [] : [cause]),
    ...(remedy === undefined ? [] : [remedy]),
    ...(resumes_at === undefined ? [] : [`Resumes automatically at ${resumes_at} if zinc is running.`]),
  ]
  return lines.join('\n')
}
