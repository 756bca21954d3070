import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import { createGuardedAgents, type GuardOptions, hostAndPort } from '../lib/ssrf-guard.ts'
import type { JobQueue } from '../queue/queue.ts'
import type { NotificationStore } from '../settings/notification-settings.ts'
import { type AlertChecksDeps, createAlertChecks } from './alerts.ts'
import type { Outlets } from './channels.ts'
import { createDelivery } from './delivery.ts'
import { createNotificationTest } from './send-test.ts'

export interface NotifierDeps {
  db: Database
  clock: Clock
  log: Logger
  queue: JobQueue
  outlets: Outlets
  settings: NotificationStore
  syncKinds: string[]
  backupPlan: AlertChecksDeps['backupPlan']
  works: boolean
}

export type Notifier = ReturnType<typeof openNotifier>

/** Opens notifications: the alert checks, the queue, and the connections for sending. */
export function openNotifier({ syncKinds, backupPlan, ...deps }: NotifierDeps) {
  const watch = createAlertChecks({ ...deps, syncKinds, backupPlan })
  const delivery = createDelivery({ ...deps, watch })
  return {
    test: createNotificationTest(deps),
    watch,
    addMissingJobs: delivery.addMissingJobs,
    open: delivery.open,
    [Symbol.asyncDispose]: delivery.close,
  }
}

/**
 * Creates connections for webhooks. A stored URL must be public or on the allowlist; the one of the
 * environment may be anywhere, since whoever can set the environment controls the machine.
 */
export function createWebhookAgents(
  { notify, images, webhooks }: Pick<Config, 'notify' | 'images' | 'webhooks'>,
  resolve: GuardOptions['resolve'],
) {
  const own = notify.webhookUrl === undefined ? [] : [hostAndPort(new URL(notify.webhookUrl))]
  const allowlist = [...images.urlAllowlist, ...webhooks.urlAllowlist, ...own]
  return createGuardedAgents({ allowlist, resolve, blocked: () => new Error('the address is not public') })
}
