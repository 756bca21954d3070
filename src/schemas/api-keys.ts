import { z } from 'zod'
import { API_KEY_SCOPES } from '../facts/api-key-scopes.ts'

export const ApiKeyScope = z.enum(API_KEY_SCOPES)

const MAX_DAYS = 3_650

/** `POST /api/v1/api-keys` */
export const ApiKeyBody = z.object({
  name: z.string().trim().min(1).max(100),
  scopes: z
    .array(ApiKeyScope)
    .min(1)
    .max(50)
    .transform((scopes) => [...new Set(scopes)]),
  /** 365 when left out; null: no expiry. */
  expires_in_days: z.int().min(1).max(MAX_DAYS).nullable().default(365),
})
export type ApiKeyBody = z.input<typeof ApiKeyBody>

/** `POST /api/v1/api-keys/{id}/rotate`: how long the old key is still accepted. */
export const RotateBody = z.object({ overlap_hours: z.number().min(0).max(720).default(0) })

export const ApiKey = z.object({
  id: z.uuid(),
  name: z.string(),
  /** The first characters of the key. */
  prefix: z.string(),
  scopes: z.array(ApiKeyScope),
  /** Who created it: it is revoked with that user, and never has more rights. */
  made_by: z.string(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  /** To the minute. */
  last_used_at: z.iso.datetime().nullable(),
  /** Until when the key before the last rotation is accepted. */
  previous_until: z.iso.datetime().nullable(),
})
export type ApiKey = z.infer<typeof ApiKey>
export const ApiKeysResponse = z.object({ status: z.literal('success'), data: z.array(ApiKey), next_cursor: z.null() })
export const ApiKeyResponse = z.object({ status: z.literal('success'), data: ApiKey })

/** `key` is shown only here. */
export const ApiKeyMade = ApiKey.extend({ key: z.string() })
export type ApiKeyMade = z.infer<typeof ApiKeyMade>
export const ApiKeyMadeResponse = z.object({ status: z.literal('success'), data: ApiKeyMade })
