import { z } from 'zod'

/** `POST /api/imports/items`; the file is the part `file` of the form. */
export const ItemImportQuery = z.object({
  /** Only record what would change. */
  dry_run: z.stringbool().default(false),
  /** Also fetch the images at the file's URLs. */
  sync_images: z.stringbool().default(false),
  /** A full sync removes what Zoho does not have, as if Zoho had listed it. */
  owned_by_zoho: z.stringbool().default(false),
})
