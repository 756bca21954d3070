/**
 * A process of its own that calls Zoho with the shared token when it is told to; see
 * test/connection/concurrent-processes.test.ts.
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { pino } from 'pino'
import { Agent } from 'undici'
import { parseConfig } from '../../src/config.ts'
import { createClient } from '../../src/connection/create-client.ts'
import { openDatabase } from '../../src/database/client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createEncryption } from '../../src/settings/encryption.ts'
import { openKeyRing } from '../../src/settings/key-ring.ts'

const config = parseConfig(process.env)
const ring = await openKeyRing(join(config.dataDir, 'settings', 'credentials.key'), config.keys.credentials)
const db = openDatabase(config.databaseUrl ?? '')
const dispatcher = new Agent()
const zoho = createClient({
  db,
  encryption: createEncryption(ring.keys),
  clock: systemClock,
  log: pino({ level: 'silent' }),
  dispatcher,
  settings: config.zoho,
})
const call = () => zoho.json({ path: '/inventory/v1/items', query: { per_page: '1' }, job: 'items' }, AbortSignal.timeout(60_000))

await call()
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const responses = await Promise.all(Array.from({ length: Number(process.env.CALLS) }, call))
process.stdout.write(`${responses.filter(({ body }) => body.code === 0).length} calls went well\n`)
await dispatcher.close()
await db.$disconnect()
