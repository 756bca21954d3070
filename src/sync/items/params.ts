import { z } from 'zod'

export const ItemSyncParams = z.object({
  mode: z.enum(['incremental', 'full']).optional(),
  source: z.enum(['api', 'file']).default('api'),
  /** For source=file: a plain file name. */
  file: z.string().optional(),
  /**
   * For source=file, instead of `file`: an absolute path of this machine, which only the command
   * line may give, or an uploaded file.
   */
  path: z.string().optional(),
  import_id: z.uuid().optional(),
  /** For source=file: a full sync removes what Zoho does not have, as if Zoho had listed it. */
  owned_by_zoho: z.boolean().default(false),
  sync_images: z.boolean().default(false),
  dry_run: z.boolean().default(false),
  confirm_removals: z.boolean().default(false),
  /** Only these failed items and images, and nothing else. */
  retry: z
    .object({
      items: z.array(z.string()),
      products: z.array(z.uuid()),
      /** Fetch the images of these products even where they are stored already. */
      again: z.boolean().default(false),
    })
    .optional(),
})

export type ItemSyncParams = z.infer<typeof ItemSyncParams>
