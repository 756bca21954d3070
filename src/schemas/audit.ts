import { z } from 'zod'

/**
 * One change: who, what, when, from where. `fields` names what changed; values are never stored.
 */
export const AuditEntry = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  /** A username, or `zinc` (the server and its command line), or `zoho` (a signed webhook). */
  actor: z.string(),
  /** noun.verb, for example user.create settings.change mapping.change session.reuse */
  action: z.string(),
  /** For example user:layla zoho.client_secret */
  target: z.string(),
  fields: z.array(z.string()),
  request_id: z.string().nullable(),
  ip: z.string().nullable(),
})
export type AuditEntry = z.infer<typeof AuditEntry>

/** `GET /api/settings/integrations/zoho/audit`, newest first */
export const AuditQuery = z.object({
  actor: z.string().max(200).optional(),
  action: z.string().max(100).optional(),
  target: z.string().max(300).optional(),
  /** Entries at or after this time; a date alone begins at 00:00 UTC. */
  from: z.string().max(60).optional(),
  /** Entries before this time; a date alone is included to its end, UTC. */
  to: z.string().max(60).optional(),
  /** `csv`: all matching entries, regardless of `limit` and `cursor`. */
  format: z.enum(['json', 'csv']).default('json'),
  cursor: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const AuditResponse = z.object({ status: z.literal('success'), data: z.array(AuditEntry), next_cursor: z.string().nullable() })
