import { beforeAll, beforeEach, expect, test } from 'vitest'
import { numberProducts } from '../../src/catalog/product-feed.ts'
import type { Webhook, WebhookDelivery, WebhookEvent, WebhookMade } from '../../src/schemas/webhooks.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { isSigned, startReceiver } from '../helpers/webhook-receiver.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
let receiver: Awaited<ReturnType<typeof startReceiver>>
beforeAll(async () => {
  receiver = await startReceiver()
  const opened = await openZinc({
    synced: true,
    environment: { WEBHOOK_URL_ALLOWLIST: receiver.host, WEBHOOK_RETRY_SECONDS: '1,1,1' },
    overrides: () => ({
      resolveImageHost: async (host) => [{ address: host === 'inside.example' ? '10.0.0.9' : '93.184.216.34', family: 4 }],
    }),
  })
  zinc = opened
  return async () => {
    await opened.end()
    await receiver.close()
  }
})
beforeEach(async () => {
  await zinc.services.db.webhookEndpoint.deleteMany()
  receiver.received.length = 0
  receiver.respond = () => 200
})

const API = '/api/webhooks'
async function send<T>(method: string, path: string, body?: object): Promise<{ status: number; code?: string; data: T }> {
  const response = await zinc.call(`${API}${path}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const { code, data } = (await response.json()) as { code?: string; data: T }
  return { status: response.status, data, ...(code !== undefined && { code }) }
}
const make = async (events: WebhookEvent[]) => (await send<WebhookMade>('POST', '', { url: receiver.url, events })).data
const deliveries = async (id: string, query = '') => (await send<WebhookDelivery[]>('GET', `/${id}/deliveries${query}`)).data
/** As if the two seconds were over in which changes become one. */
const dueNow = () =>
  zinc.services.db.$executeRaw`update webhook_delivery set due_at = clock_timestamp() - interval '1 second' where state = 'pending'`
const waiting = async () => (await zinc.services.db.webhookDelivery.findMany({ orderBy: { position: 'asc' } })).map(({ type }) => type)
async function change(data: object, n = 0) {
  const { db } = zinc.services
  const products = await db.product.findMany({ where: { deleted_at: null }, orderBy: { id: 'asc' }, take: n + 1 })
  const product = await db.product.update({ where: { id: products[n]!.id }, data })
  await numberProducts(db)
  return product
}

test('a change is told, thin and signed by both secrets after a rotation; no secret is shown or stored', async () => {
  const { id, secret } = await make(['product.*'])
  const rotated = await send<WebhookMade>('POST', `/${id}/rotate-secret`, { overlap_hours: 1 })
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  const product = await change({ selling_price: '12.50' })
  await waitFor(async () => receiver.received.length === 1)
  const [one] = receiver.received
  for (const key of [secret, rotated.data.secret]) expect(isSigned(one!, key)).toBe(true)
  expect(isSigned({ ...one!, body: one!.body.replace('price', 'prize') }, secret)).toBe(false)
  for (const altered of [{ 'webhook-id': 'another' }, { 'webhook-timestamp': '1600000000' }])
    expect(isSigned({ ...one!, headers: { ...one!.headers, ...altered } }, secret)).toBe(false)
  expect(isSigned(one!, `whsec_${Buffer.alloc(32).toString('base64')}`)).toBe(false)
  const { seq } = one!.message.data
  expect(one!.message).toEqual({
    type: 'product.price_changed',
    timestamp: expect.any(String),
    data: {
      id: product.id,
      zoho_item_id: product.zoho_item_id,
      sku: product.sku,
      seq,
      changed_fields: ['selling_price'],
      url: `${zinc.url}/api/products/${product.id}`,
    },
  })
  await waitFor(async () => (await deliveries(id, '?state=delivered')).length === 1)
  const [delivery] = await deliveries(id)
  expect(delivery).toMatchObject({ id: one!.headers['webhook-id'], state: 'delivered', next_attempt_at: null })
  expect(delivery!.attempts).toMatchObject([{ status: 200, error: null, reply: `status 200${'.'.repeat(1_014)}` }])
  const shown = await (await zinc.call(API)).text()
  const stored = JSON.stringify(await zinc.services.db.webhookEndpoint.findMany())
  for (const text of [shown, stored]) expect(text).not.toContain(secret.slice(6))
})

test('a change and its deliveries are one transaction; what waits becomes one event, and a delete wins', async () => {
  const { db } = zinc.services
  await make(['product.*'])
  await db.webhookEndpoint.updateMany({ data: { url: 'http://inside.example/' } })
  await expect(
    db.$transaction(async (tx) => {
      const { id } = await tx.product.findFirstOrThrow({ where: { deleted_at: null } })
      await tx.product.update({ where: { id }, data: { selling_price: '1' } })
      await numberProducts(tx)
      expect(await tx.webhookDelivery.count()).toBe(1)
      throw new Error('taken back')
    }),
  ).rejects.toThrow('taken back')
  expect(await waiting()).toEqual([])

  await change({ selling_price: '3.25' }, 1)
  expect(await waiting()).toEqual(['product.price_changed'])
  const product = await change({ stock_on_hand: '7' }, 1)
  expect(await waiting()).toEqual(['product.updated'])
  const [merged] = await db.webhookDelivery.findMany()
  expect(merged!.fields.toSorted()).toEqual(expect.arrayContaining(['selling_price', 'stock', 'stock_on_hand']))
  await db.product.update({ where: { id: product.id }, data: { deleted_at: new Date() } })
  await numberProducts(db)
  expect(await waiting()).toEqual(['product.deleted'])
  await db.product.update({ where: { id: product.id }, data: { deleted_at: null } })
  await numberProducts(db)
  expect(await waiting()).toEqual(['product.created'])
})

test('a webhook gets only what it asks for, by the most special name that it asks for', async () => {
  await make(['product.price_changed', 'run.failed'])
  await change({ brand: 'Another' })
  expect(await waiting()).toEqual([])
  await change({ brand: 'Third', selling_price: '99.00' })
  expect(await waiting()).toEqual(['product.price_changed'])
})

longTest('a failed attempt is repeated under the same id, and later changes of the product wait for it', async () => {
  const { id, secret } = await make(['product.*'])
  receiver.respond = () => (receiver.received.length < 3 ? 500 : 200)
  const product = await change({ selling_price: '20.00' }, 2)
  await dueNow()
  await waitFor(async () => receiver.received.length === 1)
  await change({ stock_on_hand: '3' }, 2)
  await dueNow()
  await waitFor(async () => receiver.received.length === 4)
  const ids = receiver.received.map(({ headers }) => headers['webhook-id'])
  expect([ids[1], ids[2], ids[3] === ids[0]]).toEqual([ids[0], ids[0], false])
  expect(receiver.received.map(({ message }) => [message.type, message.data.id])).toEqual([
    ...Array(3).fill(['product.price_changed', product.id]),
    ['product.stock_changed', product.id],
  ])
  expect(receiver.received.every((one) => isSigned(one, secret))).toBe(true)
  await waitFor(async () => (await deliveries(id, '?state=delivered')).length === 2)
  const [, first] = await deliveries(id)
  expect(first!.attempts.map(({ error }) => error)).toEqual(['http_500', 'http_500', null])
  expect((await send<Webhook>('GET', `/${id}`)).data.failing_since).toBeNull()
})

longTest('a receiver that hangs or fails holds back no other, and no redirect is followed', async () => {
  const slow = await make(['webhook.test'])
  const other = await make(['webhook.test'])
  await send('PATCH', `/${slow.id}`, { url: `${receiver.url}/slow` })
  let release = () => {}
  const hung = new Promise<number>((resolve) => {
    release = () => resolve(302)
  })
  receiver.respond = ({ path }) => (path === '/hook/slow' ? hung : 200)
  await send('POST', `/${slow.id}/test`)
  await waitFor(async () => receiver.received.length === 1)
  await send('POST', `/${other.id}/test`)
  await waitFor(async () => (await deliveries(other.id, '?state=delivered')).length === 1)
  release()
  await waitFor(async () => (await deliveries(slow.id))[0]!.attempts.length > 0)
  expect((await deliveries(slow.id))[0]!.attempts[0]).toMatchObject({ status: 302, error: 'http_302' })
  expect(receiver.received.map(({ path }) => path)).not.toContain('/elsewhere')
})

longTest('410 or five days of failure turn a webhook off, with a notification; a retry needs it turned on', async () => {
  const { db } = zinc.services
  const notified = () => db.notification.count({ where: { kind: 'webhook_disabled' } })
  const { id } = await make(['webhook.test'])
  receiver.respond = () => 410
  const { data, status } = await send<{ delivery_id: string }>('POST', `/${id}/test`)
  expect(status).toBe(202)
  await waitFor(async () => !(await send<Webhook>('GET', `/${id}`)).data.enabled)
  expect((await send<Webhook>('GET', `/${id}`)).data.disabled_reason).toBe('gone')
  expect(await notified()).toBe(1)
  const retry = `/${id}/deliveries/${data.delivery_id}/retry`
  expect(await send('POST', retry)).toMatchObject({ status: 409, code: 'webhook_disabled' })

  receiver.respond = () => 200
  expect((await send('PATCH', `/${id}`, { enabled: true })).status).toBe(200)
  expect((await send('POST', retry)).status).toBe(202)
  await waitFor(async () => (await deliveries(id, '?state=delivered')).length === 1)
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([data.delivery_id]))

  receiver.respond = () => 500
  await db.webhookEndpoint.update({ where: { id }, data: { failing_since: new Date(Date.now() - 5 * 86_400_000) } })
  await send('POST', `/${id}/test`)
  await waitFor(async () => (await send<Webhook>('GET', `/${id}`)).data.disabled_reason === 'failing')
  expect(await notified()).toBe(2)
})

test('addresses that are not public are refused alike, when they are stored and when they are connected to', async () => {
  for (const url of [
    'http://127.0.0.1:1/',
    'http://localhost/',
    'http://inside.example/',
    'http://169.254.169.254/',
    'http://u:p@a.example/',
  ])
    expect(await send('POST', '', { url, events: ['*'] })).toMatchObject({ status: 400, code: 'webhook_url_blocked' })
  const { id } = await make(['webhook.test'])
  expect(await send('PATCH', `/${id}`, { url: 'http://inside.example/' })).toMatchObject({ status: 400, code: 'webhook_url_blocked' })
  expect((await send('PATCH', `/${id}`, { url: 'https://erp.example/hook' })).status).toBe(200)
  // The name stood for a public address when it was stored.
  await zinc.services.db.webhookEndpoint.update({ where: { id }, data: { url: 'http://inside.example/' } })
  await send('POST', `/${id}/test`)
  await waitFor(async () => (await deliveries(id))[0]!.attempts.length > 0)
  expect((await deliveries(id))[0]!.attempts[0]).toMatchObject({ status: null, error: 'webhook_url_blocked', reply: null })
})

test('runs, the connection and silent stores are told; a replay tells again what was missed', async () => {
  const { db, notifier, stores } = zinc.services
  const { id } = await make(['*'])
  await db.webhookEndpoint.update({ where: { id }, data: { url: 'http://inside.example/' } })
  const cursor = ((await (await zinc.call('/api/products/changes?cursor=latest')).json()) as { next_cursor: string }).next_cursor
  const since = new Date().toISOString()
  await zinc.sync()
  await db.run.create({ data: { kind: 'pull', state: 'running' } })
  await db.run.updateMany({ where: { kind: 'pull' }, data: { state: 'success' } })
  await db.run.updateMany({ where: { kind: 'pull' }, data: { state: 'running' } })
  await db.run.updateMany({ where: { kind: 'pull' }, data: { state: 'failed' } })
  await db.zohoConnection.updateMany({ data: { state: 'revoked' } })
  const store = await stores.create({ code: 'QUIET', name: 'Quiet' }, { actor: 'test', request_id: null, ip: null })
  await db.store.update({ where: { id: store.id }, data: { last_seen_at: new Date(0) } })
  await notifier.watch()
  await notifier.watch()
  const types = await waiting()
  for (const type of ['run.finished', 'pull.finished', 'run.failed', 'connection.changed', 'store.silent'])
    expect(
      types.filter((it) => it === type),
      type,
    ).toHaveLength(1)

  await db.webhookDelivery.deleteMany()
  const product = await change({ brand: 'Replayed' }, 3)
  await db.webhookDelivery.deleteMany()
  const replays = [{ cursor }, { since }]
  for (const body of replays) {
    await db.webhookDelivery.deleteMany()
    const { status, data } = await send<{ deliveries: number }>('POST', `/${id}/replay`, body)
    expect(status).toBe(202)
    expect(data.deliveries).toBeGreaterThan(0)
    expect((await db.webhookDelivery.findMany({ where: { product_id: product.id } })).length).toBe(1)
  }
  const none = await zinc.call(`${API}/${id}/replay`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  expect(none.status).toBe(400)
  expect(await none.json()).toMatchObject({ message: 'body is invalid: needs since or cursor, and not both' })
})

test('what a killed process was sending is sent again under the same id when its time is over', async () => {
  const { db, clock } = zinc.services
  const { id: webhook_id } = await make(['run.finished'])
  const at = clock.now()
  const left = { webhook_id, type: 'run.finished', data: {}, begun: true, tries: 1, occurred_at: at }
  const { id } = await db.webhookDelivery.create({ data: { ...left, due_at: at } })
  await db.webhookDelivery.create({ data: { ...left, due_at: new Date(at.getTime() + 20_000) } })
  await waitFor(async () => (await deliveries(webhook_id, '?state=delivered')).length === 1)
  expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([id])
})

test('deliveries are forgotten after 14 days, and a removed webhook is gone with them', async () => {
  const { db, webhookDelivery } = zinc.services
  const { id } = await make(['product.*'])
  for (const days of [13, 15]) {
    const at = new Date(Date.now() - days * 86_400_000)
    await db.webhookDelivery.create({
      data: { webhook_id: id, type: 'run.finished', state: 'failed', data: {}, occurred_at: at, due_at: at },
    })
  }
  await webhookDelivery.prune()
  expect(await deliveries(id)).toHaveLength(1)
  expect((await send('DELETE', `/${id}`)).status).toBe(200)
  expect(await db.webhookDelivery.count()).toBe(0)
  const audited = await db.auditEntry.findMany({ where: { target: `webhook:${id}` }, orderBy: { id: 'asc' } })
  expect(audited.map(({ action }) => action)).toEqual(['webhook.create', 'webhook.delete'])
})
