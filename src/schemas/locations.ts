import { z } from 'zod'

/** A place where goods are kept: a location of Zoho, or a warehouse in older organizations. */
export const Location = z.object({
  id: z.string(),
  name: z.string(),
  status: z.enum(['active', 'inactive']),
  is_primary: z.boolean(),
  /** As Zoho has it; null where it gives none. */
  address: z.record(z.string(), z.unknown()).nullable(),
})
export type Location = z.infer<typeof Location>

/** `GET /api/locations`: all at once, the primary one first. */
export const LocationsResponse = z.object({ status: z.literal('success'), data: z.array(Location), next_cursor: z.null() })
