import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { startServer } from '../../src/start-server.ts'
import { longTest } from '../helpers/long.ts'
import { createRandom } from '../helpers/random.ts'
import { startServerProcess } from '../helpers/server-process.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { type Received, startReceiver } from '../helpers/webhook-receiver.ts'
import { startZinc, testOverrides } from '../helpers/zinc.ts'

const WRITERS = 4
const ROUNDS = 60

longTest('two receivers hear each product’s last change in order, with receivers and servers killed', async () => {
  const random = createRandom(20_261_202)
  const receivers = await Promise.all([startReceiver(() => (random() < 0.3 ? 503 : 200)), startReceiver()])
  onTestFinished(async () => {
    for (const receiver of receivers) await receiver.close()
  })
  const zinc = await startZinc({
    synced: true,
    environment: { WEBHOOK_URL_ALLOWLIST: receivers.map(({ host }) => host).join(','), WEBHOOK_RETRY_SECONDS: Array(30).fill(0).join(',') },
  })
  const { db, webhooks, productFeed } = zinc.services
  const by = { actor: 'test', request_id: null, ip: null }
  for (const { url } of receivers) await webhooks.create({ url, events: ['product.*'], description: '', enabled: true }, by)
  const accepted = receivers.map((receiver) => {
    const kept: Received[] = []
    const respond = receiver.respond
    receiver.respond = async (one) => {
      const status = await respond(one)
      if (status === 200) kept.push(one)
      return status
    }
    return kept
  })
  const ids = (await db.product.findMany({ select: { id: true } })).map(({ id }) => id)
  await productFeed.now()
  const { lastSeq: before } = await productFeed.now()

  async function write(n: number): Promise<void> {
    const client = new pg.Client(zinc.environment.DATABASE_URL)
    await client.connect()
    for (let round = 0; round < ROUNDS; round++) {
      const id = ids[Math.floor(random() * ids.length)]!
      const kind = random()
      if (kind < 0.1) await client.query('update product set deleted_at = case when deleted_at is null then now() end where id = $1', [id])
      else if (kind < 0.6) await client.query('update product set selling_price = $2 where id = $1', [id, n * 1_000 + round])
      else {
        await client.query('begin')
        await client.query('update product set brand = $2 where id = $1', [id, `${n} ${round}`])
        await pause(random() * 40)
        await client.query(random() < 0.8 ? 'commit' : 'rollback')
      }
      await pause(random() * 100)
    }
    await client.end()
  }
  async function comeAndGo(): Promise<void> {
    for (let n = 0; n < 3; n++) {
      const other = await startServer(parseConfig(zinc.environment), pino({ level: 'silent' }), testOverrides())
      await pause(1_500)
      await other[Symbol.asyncDispose]()
    }
  }
  async function killServers(): Promise<void> {
    for (let n = 0; n < 3; n++) {
      const { child, ended } = await startServerProcess({ ...zinc.environment, PORT: '0' })
      await pause(1_000 + random() * 1_000)
      child.kill('SIGKILL')
      await ended
    }
  }
  async function killReceivers(): Promise<void> {
    for (let n = 0; n < 6; n++) {
      const receiver = receivers[n % receivers.length]!
      await pause(800 * random())
      await receiver.stop()
      await pause(500 * random())
      await receiver.start()
    }
  }
  await Promise.all([comeAndGo(), killServers(), killReceivers(), ...Array.from({ length: WRITERS }, (_, n) => write(n))])
  await productFeed.now()
  await waitFor(async () => (await db.webhookDelivery.count({ where: { state: 'pending' } })) === 0)
  expect(await db.webhookDelivery.count({ where: { state: 'failed' } })).toBe(0)

  const changes = await db.$queryRaw<{ product_id: string; seq: number; change: string }[]>`
    select product_id, seq::int, change from product_change where seq > ${before} order by product_id`
  expect(changes.length).toBeGreaterThan(20)
  for (const messages of accepted) {
    const last = new Map<string, Received['message']>()
    const seen = new Set<string>()
    for (const { headers, message } of messages) {
      const id = String(headers['webhook-id'])
      if (seen.has(id)) continue
      seen.add(id)
      const product = String(message.data.id)
      expect(Number(message.data.seq)).toBeGreaterThan(Number(last.get(product)?.data.seq ?? 0))
      last.set(product, message)
    }
    const heard = [...last].map(([product_id, { data, type }]) => ({
      product_id,
      seq: data.seq,
      change: type === 'product.deleted' ? 'delete' : 'upsert',
    }))
    expect(heard.toSorted((a, b) => (a.product_id < b.product_id ? -1 : 1))).toEqual(changes)
  }
})
