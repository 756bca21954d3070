import type { Config } from '../config.ts'
import { createGuardedAgents, type GuardOptions } from '../lib/ssrf-guard.ts'
import { createWebhookDelivery, type WebhookDeliveryDeps } from './delivery.ts'
import { createWebhooks } from './endpoints.ts'
import { webhookUrlBlocked } from './send.ts'

type OpenWebhooksDeps = Omit<WebhookDeliveryDeps, 'agents' | 'retrySeconds'> & {
  settings: Config['webhooks']
  /** Instead of DNS, in tests. */
  resolve: GuardOptions['resolve']
}

/**
 * Opens the webhooks of other systems. Disposing closes the connections to their receivers: after
 * the queue, whose jobs use them.
 */
export function openWebhooks({ settings, resolve, ...deps }: OpenWebhooksDeps) {
  const agents = createGuardedAgents({ allowlist: settings.urlAllowlist, resolve, blocked: webhookUrlBlocked })
  return {
    webhooks: createWebhooks({ ...deps, agents }),
    webhookDelivery: createWebhookDelivery({ ...deps, agents, retrySeconds: settings.retrySeconds }),
    [Symbol.asyncDispose]: () => agents[Symbol.asyncDispose](),
  }
}
