import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Product } from '../../src/schemas/products.ts'
import { WEBHOOK_SYNC } from '../../src/sync/webhook/queue.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const SECRET = 'fakeSecretOfTheNotices12'
const PATH = '/api/settings/integrations/zoho/webhook'

async function startWithSecret(): Promise<TestZinc & { target: { url: string; secret: string }; settled(): Promise<void> }> {
  const zinc = await startZinc({ synced: true })
  const set = await zinc.call('/api/settings/integrations/zoho/', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ webhook_secret: SECRET }),
  })
  expect(set.status).toBe(200)
  expect(await set.text()).not.toContain(SECRET)
  const { db } = zinc.services
  return {
    ...zinc,
    target: { url: `${zinc.url}${PATH}`, secret: SECRET },
    settled: () =>
      waitFor(
        async () =>
          (await db.webhookEvent.count({ where: { due_at: { lte: new Date(Date.now() + 2_000) } } })) === 0 &&
          (await db.run.count({ where: { kind: WEBHOOK_SYNC, finished_at: null } })) === 0,
      ),
  }
}
const productOf = async ({ call }: TestZinc, id: string) =>
  ((await (await call(`/api/products/zoho:${id}`)).json()) as { data: Product }).data

test('a signed notice in every encoding has its item read through the API', async () => {
  const zinc = await startWithSecret()
  const { zoho, target } = zinc
  const [a, b, c, d] = zoho.items().filter((item) => item.image_document_id !== '')
  const ways = [
    { item: a!, way: { signature: 'hex', payload: 'json' } },
    { item: b!, way: { signature: 'base64', payload: 'json', url: `${target.url}?store=7&event=edit` } },
    { item: c!, way: { signature: 'hex', payload: 'form' } },
    { item: d!, way: { signature: 'base64', payload: 'JSONString' } },
  ] as const
  for (const { item } of ways) zoho.edit(item.item_id, { rate: 4321 })
  zoho.replaceImage(a!.item_id, 99_999)
  const calls = zoho.meter.calls
  for (const { item, way } of ways) {
    const [delivery] = await zoho.webhooks.send({ ...target, ...way }, [item.item_id])
    expect(delivery).toMatchObject({ status: 202, tries: 1 })
  }
  await zinc.settled()
  for (const { item } of ways) expect((await productOf(zinc, item.item_id)).selling_price).toBe('4321')
  expect((await productOf(zinc, a!.item_id)).images[0]?.version).toBe(2)
  // At most a run a notice; what came together was read together.
  expect(zoho.meter.calls - calls).toBeLessThanOrEqual(ways.length + 1)

  // A body that lies changes nothing: Zoho is asked.
  const body = JSON.stringify({ item: { item_id: a!.item_id, name: 'Forged', rate: 0.01 } })
  const signature = createHmac('sha256', SECRET).update(body).digest('hex')
  expect(
    (
      await fetch(target.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-zoho-webhook-signature': signature },
        body,
      })
    ).status,
  ).toBe(202)
  await zinc.settled()
  expect((await productOf(zinc, a!.item_id)).selling_price).toBe('4321')
})

test('an unsigned, wrongly signed or altered notice is refused with 401 and writes nothing down', async () => {
  const { services, zoho, target, url } = await startWithSecret()
  const [item] = zoho.items()
  const body = JSON.stringify({ item: { item_id: item!.item_id } })
  const sign = (text: string, secret = SECRET) => createHmac('sha256', secret).update(text).digest('hex')
  const post = async (headers: Record<string, string>, text = body) => {
    const response = await fetch(target.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text })
    return [response.status, ((await response.json()) as { code: string }).code]
  }
  const refused = [401, 'invalid_signature']
  expect(await post({})).toEqual(refused)
  for (const signature of [
    '',
    'x',
    'é'.repeat(64), // as many characters as a right one, and more bytes
    sign(body, 'another-secret-12345'),
    sign(`${body} `),
    createHmac('sha256', SECRET).update(body).digest('base64url'),
    sign(''),
  ])
    expect(await post({ 'x-zoho-webhook-signature': signature })).toEqual(refused)
  expect(await post({ 'x-zoho-webhook-signature': sign(body) }, `${body} `)).toEqual(refused)
  expect(await services.db.webhookEvent.count()).toBe(0)
  expect(await post({ 'x-zoho-webhook-signature': sign('{"event":"ping"}') }, '{"event":"ping"}')).toEqual([400, 'bad_request'])
  // Without a secret nothing is signed, not even with an empty one.
  await services.connect.settings.change({ webhook_secret: null }, { actor: 'test', request_id: null, ip: null })
  expect(await post({ 'x-zoho-webhook-signature': sign(body) })).toEqual(refused)
  expect(await post({ 'x-zoho-webhook-signature': sign(body, '') })).toEqual(refused)
  expect((await fetch(`${url}${PATH}`)).status).toBe(405)
})

longTest('notices that are repeated, late or out of order end with what Zoho has, in few calls', async () => {
  const zinc = await startWithSecret()
  const { zoho, target, services } = zinc
  const [a, b, c] = zoho.items()
  zoho.edit(a!.item_id, { rate: 10 })
  zoho.edit(b!.item_id, { rate: 20 })
  const added = { ...c!, item_id: '460000000000077777', sku: 'HOOK-1', name: 'Brand new' }
  zoho.add(added)
  const ids = [a!.item_id, b!.item_id, added.item_id]
  const deliveries = await zoho.webhooks.send(target, ids, { times: 3, reversed: true })
  expect(deliveries.every(({ status }) => status === 202)).toBe(true)
  await zinc.settled()
  expect((await productOf(zinc, a!.item_id)).selling_price).toBe('10')
  expect((await productOf(zinc, b!.item_id)).selling_price).toBe('20')
  expect((await productOf(zinc, added.item_id)).name).toBe('Brand new')

  // Repeats of a notice that somebody has recorded: the item was just read, so it waits, and once
  // at most.
  const calls = zoho.meter.calls
  await zoho.webhooks.send(target, [a!.item_id], { times: 30 })
  await zinc.settled()
  expect(zoho.meter.calls - calls).toBeLessThanOrEqual(1)
  expect(await services.db.webhookEvent.count({ where: { due_at: { not: null } } })).toBeLessThanOrEqual(1)

  zoho.remove(c!.item_id)
  await zoho.webhooks.send(target, [c!.item_id, '1'])
  await zinc.settled()
  expect((await productOf(zinc, c!.item_id)).deleted_at).not.toBeNull()
  const runs = await services.db.run.findMany({ where: { kind: WEBHOOK_SYNC } })
  expect(runs.every((run) => run.state === 'success' && run.started_by === 'zoho')).toBe(true)
  // A notice that never came is made up for by the next sync.
  zoho.edit(b!.item_id, { rate: 30 })
  await zinc.sync()
  expect((await productOf(zinc, b!.item_id)).selling_price).toBe('30')
})
