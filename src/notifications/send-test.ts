import type { Clock } from '../lib/clock.ts'
import type { NotificationStore } from '../settings/notification-settings.ts'
import { type Channel, channelsOf, deliverThrough, type Outlets } from './channels.ts'

interface Tried {
  ok: boolean
  message: string
  remedy?: string | undefined
}
export type NotificationTest = () => Promise<{ ok: boolean; email: Tried | null; webhook: Tried | null }>

const REMEDIES: Record<Channel, string> = {
  email:
    'Check the address of the mail server (smtp://user:password@host:587, smtps:// for port 465), that it offers TLS, and the receivers.',
  webhook:
    'Check that the address is public (IMAGE_URL_ALLOWLIST or NOTIFY_WEBHOOK_URL may name another host) and takes a POST with a status below 300.',
}

/**
 * Sends one notification through each channel immediately, without the queue; null: the channel is
 * not configured.
 */
export function createNotificationTest({
  settings,
  clock,
  outlets,
}: {
  settings: NotificationStore
  clock: Clock
  outlets: Outlets
}): NotificationTest {
  return async () => {
    const now = await settings.read()
    const set = channelsOf(now)
    const message = { kind: 'test', subject: 'A test', text: 'Notices of zinc arrive here.', at: clock.now() }
    const trial = async (channel: Channel): Promise<Tried | null> => {
      if (!set.includes(channel)) return null
      try {
        await deliverThrough(channel, message, { addresses: now.addresses, outlets })
        return { ok: true, message: 'sent' }
      } catch (error) {
        return { ok: false, message: error instanceof Error ? error.message : 'failed', remedy: REMEDIES[channel] }
      }
    }
    const [email, webhook] = await Promise.all([trial('email'), trial('webhook')])
    return { ok: set.length > 0 && email?.ok !== false && webhook?.ok !== false, email, webhook }
  }
}
