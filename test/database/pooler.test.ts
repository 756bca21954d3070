import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { openConfiguredDatabase } from '../../src/database/open.ts'
import { refuseTransactionPooling } from '../../src/database/pooler.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { startPooler } from '../helpers/pooler.ts'

async function database(): Promise<string> {
  const { url, drop } = await createTestDatabase()
  onTestFinished(drop)
  return url
}

test.each([2, 3, 8])('a pooler in transaction mode with %i connections ends the start with a code', async (size) => {
  await using pooler = await startPooler(await database(), { mode: 'transaction', size })
  const opening = openConfiguredDatabase({ config: { databaseUrl: pooler.url, dataDir: '' }, log: pino({ level: 'silent' }) })
  await expect(opening).rejects.toMatchObject({
    code: 'pooler_transaction_mode',
    exitStatus: 1,
    message: expect.stringMatching(/locks.*LISTEN.*session settings/s),
  })
})

test('PostgreSQL itself and a pooler in session mode are taken', async () => {
  const url = await database()
  await using pooler = await startPooler(url, { mode: 'session', size: 4 })
  for (const taken of [url, pooler.url]) expect(await refuseTransactionPooling(taken)).toBeUndefined()
})
