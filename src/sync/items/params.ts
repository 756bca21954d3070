import { z } from 'zod'

export const ItemSyncParams = z.object({
  mode: z.enum(['incremental', 'full']).optional(),
  source: z.enum(['api', 'file']).default('api'),
  /** For source=file: a plain file name. */
  file: z.string().optional(),
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
