import type { Clock } from '../lib/clock.ts'
import { AppError } from '../lib/errors.ts'
import type { Params } from '../messages/message.ts'
import { messageOf } from '../messages/say.ts'
import type { NotificationStore } from '../settings/notification-settings.ts'
import { type Channel, channelsOf, deliverThrough, type Outlets } from './channels.ts'
import { notification, notificationIn } from './notifications.ts'

interface Tried {
  ok: boolean
  message: string
  remedy?: string | undefined
  code?: string
  params?: Params
}
export type NotificationTest = () => Promise<{ ok: boolean; email: Tried | null; webhook: Tried | null }>

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
    const message = { kind: 'test', ...(await notificationIn(now.language, notification('test'))), at: clock.now() }
    const trial = async (channel: Channel): Promise<Tried | null> => {
      if (!set.includes(channel)) return null
      try {
        await deliverThrough(channel, message, { addresses: now.addresses, outlets })
        return { ok: true, message: 'sent' }
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        return { ok: false, message: error.message, remedy: error.remedy, ...messageOf(error) }
      }
    }
    const [email, webhook] = await Promise.all([trial('email'), trial('webhook')])
    return { ok: set.length > 0 && email?.ok !== false && webhook?.ok !== false, email, webhook }
  }
}
