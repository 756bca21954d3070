import { createHmac } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { ItemStore } from './item-store.ts'
import { itemRow } from './serialize.ts'

export interface WebhookTarget {
  url: string
  /** Undefined: webhooks are sent unsigned. */
  secret?: string | undefined
  /**
   * Zoho documents two ways: hex over the body, or Base64 over sorted parameters and the JSON body.
   */
  signature?: 'hex' | 'base64'
  /** The default JSON payload, its fields as a form, or the older form field JSONString. */
  payload?: 'json' | 'form' | 'JSONString'
}

export interface Delivery {
  item_id: string
  /** Of the last attempt; null: no response in time. */
  status: number | null
  tries: number
}

/**
 * A receiver has this long; after that, and after any status but 2xx, the webhook is sent again.
 */
const ANSWER_WITHIN_MS = 10_000
const MAX_RETRIES = 5

/**
 * Sends what Zoho's workflow rules would send: once or more often, late, in any order. A lost
 * webhook is one that is not sent.
 */
export function createWebhooks({ store, zone, retryAfterMs = 200 }: { store: ItemStore; zone: string; retryAfterMs?: number }) {
  async function post(target: WebhookTarget, body: string, type: string, signature: string | null): Promise<number | null> {
    const response = await fetch(target.url, {
      method: 'POST',
      headers: { 'content-type': type, ...(signature !== null && { 'x-zoho-webhook-signature': signature }) },
      body,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    }).catch(() => null)
    await response?.arrayBuffer()
    return response?.status ?? null
  }

  async function deliver(target: WebhookTarget, item_id: string): Promise<Delivery> {
    const item = store.find(item_id)
    const json = JSON.stringify({ item: item ? itemRow(item, zone) : { item_id } })
    const isJson = (target.payload ?? 'json') === 'json'
    const parameters: [string, string][] =
      target.payload === 'JSONString'
        ? [['JSONString', json]]
        : [
            ['item_id', item_id],
            ['event', 'item_edited'],
          ]
    const body = isJson ? json : new URLSearchParams(parameters).toString()
    const query = [...new URL(target.url).searchParams]
    const sorted = [...query, ...(isJson ? [] : parameters)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flat()
      .join('')
    const signature =
      target.secret === undefined
        ? null
        : target.signature === 'base64'
          ? createHmac('sha256', target.secret)
              .update(`${sorted}${isJson ? body : ''}`)
              .digest('base64')
          : createHmac('sha256', target.secret).update(body).digest('hex')
    const type = isJson ? 'application/json' : 'application/x-www-form-urlencoded'
    let status: number | null = null
    for (let tries = 1; tries <= 1 + MAX_RETRIES; tries++) {
      status = await post(target, body, type, signature)
      if (status !== null && status >= 200 && status < 300) return { item_id, status, tries }
      await pause(retryAfterMs)
    }
    return { item_id, status, tries: 1 + MAX_RETRIES }
  }

  /** `times`: how often each webhook is sent; `reversed`: the last change is sent first. */
  async function send(
    target: WebhookTarget,
    ids: string[],
    { times = 1, delayMs = 0, reversed = false }: { times?: number; delayMs?: number; reversed?: boolean } = {},
  ): Promise<Delivery[]> {
    await pause(delayMs)
    const order = reversed ? [...ids].reverse() : ids
    const deliveries: Delivery[] = []
    for (const id of order) for (let n = 0; n < times; n++) deliveries.push(await deliver(target, id))
    return deliveries
  }

  function routes(app: FastifyInstance): void {
    app.post<{ Body: { target: WebhookTarget; ids: string[]; times?: number; delayMs?: number; reversed?: boolean } }>(
      '/_control/webhooks',
      async ({ body: { target, ids, ...options } }) => send(target, ids, options),
    )
  }
  return { send, routes }
}
