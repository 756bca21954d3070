import type { Config } from '../config.ts'
import type { Database } from '../database/client.ts'
import { LANGUAGE_CODES, type Language } from '../facts/languages.ts'
import type { Clock } from '../lib/clock.ts'
import { BadRequestError, ConflictError } from '../lib/errors.ts'
import { type Actor, recordAudit } from './audit-log.ts'
import { isMasked, mask } from './mask.ts'
import type { SettingStore } from './setting-store.ts'

const ADDRESSES = ['email', 'smtp_url', 'webhook_url'] as const
const SILENCES = ['nothing_synced_after_minutes', 'store_silent_after_minutes'] as const
type Address = (typeof ADDRESSES)[number]
type Silence = (typeof SILENCES)[number]

const VARIABLES: Record<Address, string> = { email: 'NOTIFY_EMAIL', smtp_url: 'SMTP_URL', webhook_url: 'NOTIFY_WEBHOOK_URL' }
/** A mail server's URL contains a password, a webhook's often a token. */
const SECRET: ReadonlySet<string> = new Set(['smtp_url', 'webhook_url'])
/** A day and a half without any success is reported by default. */
const SILENCE_DEFAULTS: Record<Silence, number | null> = { nothing_synced_after_minutes: 36 * 60, store_silent_after_minutes: 24 * 60 }

export interface NotificationSettings {
  addresses: Record<Address, string | null>
  sources: Record<Address, 'environment' | 'stored' | 'none'>
  silences: Record<Silence, number | null>
  /** What they are written in. */
  language: Language
}
export type NotificationChange = Partial<
  Record<Address, string | null | undefined> & Record<Silence, number | null | undefined> & { language: Language | undefined }
>

export type NotificationStore = ReturnType<typeof createNotificationSettings>

/**
 * Where notifications are sent and when silence is reported; the environment takes precedence over
 * stored values.
 */
export function createNotificationSettings({
  db,
  clock,
  stored,
  environment,
  refuseBlockedUrl,
}: {
  db: Database
  clock: Clock
  stored: SettingStore
  environment: Config['notify']
  /** Throws BadRequestError `webhook_url_blocked`. */
  refuseBlockedUrl(url: string): Promise<void>
}) {
  const fixed: Record<Address, string | undefined> = {
    email: environment.email,
    smtp_url: environment.smtpUrl,
    webhook_url: environment.webhookUrl,
  }

  async function read(from: Parameters<SettingStore['read']>[1] = db): Promise<NotificationSettings> {
    const rows = await stored.read('notify.', from)
    const addresses = {} as NotificationSettings['addresses']
    const sources = {} as NotificationSettings['sources']
    for (const field of ADDRESSES) {
      addresses[field] = fixed[field] ?? rows.get(field)?.value ?? null
      sources[field] = fixed[field] !== undefined ? 'environment' : rows.has(field) ? 'stored' : 'none'
    }
    const silences = {} as NotificationSettings['silences']
    for (const field of SILENCES) {
      const value = rows.get(field)?.value
      silences[field] = value === undefined || value === null ? SILENCE_DEFAULTS[field] : value === 'never' ? null : Number(value)
    }
    const language = LANGUAGE_CODES.find((code) => code === rows.get('language')?.value) ?? 'en'
    return { addresses, sources, silences, language }
  }

  return {
    read,
    /**
     * Throws ConflictError `set_by_environment`, BadRequestError `invalid_address`,
     * `webhook_url_blocked`.
     */
    async change(change: NotificationChange, actor: Actor): Promise<void> {
      const { webhook_url: url } = change
      // A host name is looked up, which must not keep a transaction waiting.
      if (url !== undefined && url !== null && !isMasked(url) && fixed.webhook_url === undefined)
        await refuseBlockedUrl(checked('webhook_url', url))
      await db.$transaction(async (tx) => {
        const now = await read(tx)
        const changed: string[] = []
        const write = (field: string, value: string) =>
          stored.write(tx, `notify.${field}`, value, { encrypted: SECRET.has(field), by: actor.actor, at: clock.now() })
        for (const field of ADDRESSES) {
          const requested = change[field]
          if (requested === undefined || (requested !== null && isMasked(requested)) || requested === now.addresses[field]) continue
          if (now.sources[field] === 'environment') {
            throw new ConflictError('set_by_environment', { field, variable: VARIABLES[field] })
          }
          if (requested === null) await stored.remove(tx, `notify.${field}`)
          else await write(field, checked(field, requested))
          changed.push(field)
        }
        for (const field of SILENCES) {
          const requested = change[field]
          if (requested === undefined || requested === now.silences[field]) continue
          await write(field, requested === null ? 'never' : String(requested))
          changed.push(field)
        }
        if (change.language !== undefined && change.language !== now.language) {
          await write('language', change.language)
          changed.push('language')
        }
        if (changed.length > 0)
          await recordAudit(tx, { ...actor, action: 'notifications.change', target: 'notifications', fields: changed })
      })
    },
  }
}

/** Returns what may be shown of a channel's URL or mail address. */
export const shownAddress = (field: Address, value: string | null): string | null => (SECRET.has(field) ? mask(value) : value)

function checked(field: Address, value: string): string {
  if (field === 'email') {
    if (value.split(',').every((one) => /^[^\s@<>]+@[^\s@<>]+$/.test(one.trim()))) return value
    throw new BadRequestError('invalid_address.mail')
  }
  const protocols = field === 'smtp_url' ? ['smtp:', 'smtps:'] : ['http:', 'https:']
  if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value
  throw new BadRequestError('invalid_address', { field, protocols })
}
