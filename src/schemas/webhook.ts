import { z } from 'zod'

/** `GET /webhook/setup`: what to enter in Zoho, and how its notices arrive. */
export const WebhookResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    /** To paste in Zoho: Settings, Automation, Workflow actions, Webhooks; module Items. */
    url: z.url(),
    /** Whether Zoho can have a way to it: an address of this machine or of a private network has none. */
    reachable: z.boolean(),
    /** Masked; null: not set, and every notice is refused. */
    secret: z.string().nullable(),
    secret_changed_at: z.iso.datetime().nullable(),
    /** Notices with the right signature; `items` names those of the last one, none after a test. */
    accepted: z.object({ count: z.number(), last_at: z.iso.datetime().nullable(), items: z.array(z.string()) }),
    /** Notices whose signature was wrong; what comes in quick succession counts once. */
    refused: z.object({ count: z.number(), last_at: z.iso.datetime().nullable() }),
  }),
})
export type Webhook = z.infer<typeof WebhookResponse>['data']

/** `POST /webhook/setup/secret`: a new secret, in this answer only. The one before counts no more. */
export const WebhookSecretResponse = z.object({ status: z.literal('success'), data: z.object({ secret: z.string() }) })

/** `POST /webhook/setup/test`: a signed notice was sent to `url`, from here. */
export const WebhookTestResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    ok: z.boolean(),
    status: z.number().nullable(),
    ms: z.number(),
    /** network: nobody answered there · not_zinc: something else did · refused: zinc did not take it */
    problem: z.enum(['network', 'not_zinc', 'refused']).nullable(),
  }),
})
export type WebhookTest = z.infer<typeof WebhookTestResponse>['data']
