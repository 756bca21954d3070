import { resolve } from 'node:path'
import type { Command } from 'commander'
import { findImportPath } from '../sync/items/file-source.ts'
import { itemSyncResult } from '../sync/items/item-sync-result.ts'
import { ITEM_SYNC } from '../sync/items/item-sync-run.ts'
import type { ItemSyncParams } from '../sync/items/params.ts'
import type { Action, ExitStatus } from './context.ts'
import { watchRun } from './progress-bar.ts'
import { describeItemSync } from './sync.ts'

interface ImportOptions {
  images?: true
  dryRun?: true
  ownedByZoho?: true
}

export function addImport(program: Command, action: Action): void {
  program
    .command('import')
    .description('import items of another program')
    .command('items <file>')
    .description('import items from a JSON file: a list, or an object by ID; images at image_path beside the file are taken too')
    .option('--dry-run', 'only show what would be taken and what would be left')
    .option('--images', 'also fetch the images at the URLs in the file')
    .option('--owned-by-zoho', 'a full sync removes what Zoho does not have (default: items that only the file names stay)')
    .action(
      action(async (context, given: string, options: ImportOptions): Promise<ExitStatus> => {
        const path = resolve(given)
        const { runs, db, itemSync } = await context.services()
        // A missing file is reported immediately and leaves no failed run.
        await findImportPath(path, { maxBytes: itemSync.maxImportBytes })
        const params: Partial<ItemSyncParams> = {
          source: 'file',
          path,
          sync_images: options.images ?? false,
          dry_run: options.dryRun ?? false,
          owned_by_zoho: options.ownedByZoho ?? false,
        }
        const { run_id } = await runs.start(ITEM_SYNC, params, { startedBy: 'command line' })
        const run = await watchRun(runs, run_id, context)
        context.signal.throwIfAborted()
        const result = await itemSyncResult(db, run)
        const { images_taken = 0, images_known = 0, images_left = 0 } = run.statistics as Record<string, number>
        const statistics = { ...result.statistics, images_taken, images_known, images_left }
        const files = `images beside the file: ${images_taken} ${options.dryRun ? 'would be looked at' : 'taken'}, ${images_known} already there, ${images_left} left`
        context.result({ ...result, statistics }, `${describeItemSync(result)}\n${files}`)
        return run.state === 'success' ? 0 : 1
      }),
    )
}
