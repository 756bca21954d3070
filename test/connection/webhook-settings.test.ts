import { expect } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('the webhook settings show address, one-time secret, test, last notice and last refusal', async () => {
  const zinc = await startZinc()
  const state = async () => (await request(zinc, 'GET', '/webhook/setup')).body.data
  expect(await state()).toMatchObject({
    url: `${zinc.url}/api/settings/integrations/zoho/webhook`,
    reachable: false,
    secret: null,
    accepted: { count: 0, last_at: null },
    refused: { count: 0, last_at: null },
  })
  expect(await request(zinc, 'POST', '/webhook/setup/test')).toMatchObject({ status: 409, body: { code: 'no_webhook_secret' } })

  const made = await request(zinc, 'POST', '/webhook/setup/secret')
  expect(made.status).toBe(201)
  const { secret } = made.body.data
  expect(secret.length).toBeGreaterThanOrEqual(40)
  expect(await state()).toMatchObject({ secret: `••••${secret.slice(-4)}`, secret_changed_at: expect.any(String) })
  expect(JSON.stringify((await request(zinc, 'GET', '/')).body)).not.toContain(secret)

  expect((await request(zinc, 'POST', '/webhook/setup/test')).body.data).toMatchObject({ ok: true, status: 202, problem: null })
  expect(await state()).toMatchObject({ accepted: { count: 1, last_at: expect.any(String), items: [] } })

  const [item] = zinc.zoho.items()
  const target = { url: (await state()).url, secret }
  expect(await zinc.zoho.webhooks.send(target, [item!.item_id])).toMatchObject([{ status: 202 }])
  expect(await state()).toMatchObject({ accepted: { count: 2, items: [item!.item_id] }, refused: { count: 0 } })

  // Signed with another secret, several times in quick succession: one row, one count, and nothing
  // is read.
  for (let n = 0; n < 3; n++) await zinc.zoho.webhooks.send({ ...target, secret: 'fakeSecretOfSomebodyElse' }, [item!.item_id])
  expect(await state()).toMatchObject({ accepted: { count: 2 }, refused: { count: 1, last_at: expect.any(String) } })

  // A new secret: the old one counts no more.
  await request(zinc, 'POST', '/webhook/setup/secret')
  expect(await zinc.zoho.webhooks.send(target, [item!.item_id])).toMatchObject([{ status: 401 }])
})

longTest('what pictures leave to items is set in percent, holds for the next picture, and is audited', async () => {
  const zinc = await startZinc({
    limits: { perMinute: null, perDay: 40, inFlight: null, blockMs: 60_000 },
    environment: { ZOHO_REQUESTS_PER_MINUTE: '1000' },
  })
  const day = async () => (await request(zinc, 'GET', '/quota')).body.data.day
  expect(await day()).toMatchObject({ reserve_percent: 5 })
  expect((await request(zinc, 'PUT', '/quota', { reserve_percent: 50 })).body.data.day).toMatchObject({ reserve_percent: 50 })
  expect(await request(zinc, 'PUT', '/quota', { reserve_percent: 95 })).toMatchObject({ status: 400, body: { code: 'bad_request' } })

  // 20 pictures, 40 calls a day: the run stops at 20 left, and items go on.
  expect((await zinc.sync('?sync_images=true')).status).toBe('paused')
  expect(await day()).toMatchObject({ limit: 40, left: 20, reserve: 20 })
  const { data } = (await request(zinc, 'GET', '/audit')).body
  expect(data).toContainEqual(expect.objectContaining({ action: 'quota.change', fields: ['image_reserve_percent'] }))
})
