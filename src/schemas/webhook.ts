import { z } from 'zod'

/** `GET /webhook/setup`: what to enter in Zoho, and how its webhooks arrive. */
export const WebhookResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    /** To paste in Zoho: Settings, Automation, Workflow actions, Webhooks; module Items. */
    url: z.url(),
    /**
     * Whether Zoho may be able to reach it: false for an address of this machine or of a private
     * network.
     */
    reachable: z.boolean(),
    /** Masked; null: not set, and every webhook is refused. */
    secret: z.string().nullable(),
    secret_changed_at: z.iso.datetime().nullable(),
    /** Webhooks with a valid signature; `items` has those of the last one, none after a test. */
    accepted: z.object({ count: z.number(), last_at: z.iso.datetime().nullable(), items: z.array(z.string()) }),
    /** Webhooks with a wrong signature; those in quick succession count once. */
    refused: z.object({ count: z.number(), last_at: z.iso.datetime().nullable() }),
  }),
})
export type Webhook = z.infer<typeof WebhookResponse>['data']

/**
 * `POST /webhook/setup/secret`: a new secret, only in this response. The previous one becomes
 * invalid.
 */
export const WebhookSecretResponse = z.object({ status: z.literal('success'), data: z.object({ secret: z.string() }) })

/** `POST /webhook/setup/test`: a signed webhook was sent to `url`, from here. */
export const WebhookTestResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    ok: z.boolean(),
    status: z.number().nullable(),
    ms: z.number(),
    /** network: no answer | not_zinc: another server answered | refused: zinc refused it */
    problem: z.enum(['network', 'not_zinc', 'refused']).nullable(),
  }),
})
export type WebhookTest = z.infer<typeof WebhookTestResponse>['data']
