import { z } from 'zod'
import { LANGUAGE_CODES } from '../facts/languages.ts'
import { Message, MessageParams } from './message.ts'
import { Source } from './zoho-settings.ts'

export const NotificationKind = z.enum([
  'connection_lost',
  'connection_regained',
  'run_failed',
  'nothing_synced',
  'store_silent',
  'backup_too_old',
  'webhook_disabled',
  'test',
])
export type NotificationKind = z.infer<typeof NotificationKind>

/** Why a notification could not be sent through a channel. */
export const DeliveryFailure = Message.extend({ channel: z.enum(['email', 'webhook']) })
export type DeliveryFailure = z.infer<typeof DeliveryFailure>

/**
 * `GET /notifications`. URLs with a password or token are shown as `••••` and their last four
 * characters.
 */
export const Notifications = z.object({
  /** Receivers, separated by commas; null: no mail. */
  email: z.string().nullable(),
  /** smtp:// or smtps:// URL of the mail server, masked. */
  smtp_url: z.string().nullable(),
  /** Gets a JSON body by POST for each notification, masked. */
  webhook_url: z.string().nullable(),
  sources: z.object({ email: Source, smtp_url: Source, webhook_url: Source }),
  /** Notify when no sync succeeded for so many minutes; null: never. */
  nothing_synced_after_minutes: z.number().nullable(),
  /** Notify when a store sent no request for so many minutes; null: never. */
  store_silent_after_minutes: z.number().nullable(),
  /** The language of notifications. */
  language: z.enum(LANGUAGE_CODES),
  /** The newest notifications and their delivery. */
  recent: z.array(
    z.object({
      id: z.string(),
      kind: NotificationKind,
      subject: z.string(),
      text: z.string(),
      /** The facts in subject and text, for other languages; null for those of an older zinc. */
      params: MessageParams.nullable(),
      created_at: z.iso.datetime(),
      sent_at: z.iso.datetime().nullable(),
      attempts: z.number(),
      /** Why the last attempt failed. */
      error: z.string().nullable(),
      failure: DeliveryFailure.nullable(),
    }),
  ),
})
export type Notifications = z.infer<typeof Notifications>
export const NotificationsResponse = z.object({ status: z.literal('success'), data: Notifications })

const minutes = z.number().int().min(5).max(525_600).nullable()
/** `PUT /notifications`: any subset; null clears; a masked value sent back changes nothing. */
export const NotificationsBody = z
  .object({
    email: z.string().trim().min(3).max(500).nullable(),
    smtp_url: z.string().trim().min(3).max(500).nullable(),
    webhook_url: z.string().trim().min(3).max(1000).nullable(),
    nothing_synced_after_minutes: minutes,
    store_silent_after_minutes: minutes,
    language: z.enum(LANGUAGE_CODES),
  })
  .partial()
export type NotificationsBody = z.infer<typeof NotificationsBody>

const Channel = z.object({
  ok: z.boolean(),
  message: z.string(),
  remedy: z.string().optional(),
  code: z.string().optional(),
  params: MessageParams.optional(),
})
/**
 * `POST /notifications/test`: one notification through each configured channel; null: not
 * configured.
 */
export const NotificationsTestResponse = z.object({
  status: z.literal('success'),
  data: z.object({ ok: z.boolean(), email: Channel.nullable(), webhook: Channel.nullable() }),
})
