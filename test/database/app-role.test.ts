import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { startServer } from '../../src/start-server.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { environmentFor, startZohoSimulator } from '../../src/zoho-simulator/simulator.ts'
import { longTest } from '../helpers/long.ts'

longTest("on its own PostgreSQL zinc's role can change neither the audit log nor the tables", async () => {
  const zoho = await startZohoSimulator({ items: createSeed({ count: 6 }) })
  const dataDir = await mkdtemp(join(tmpdir(), 'zinc-role-'))
  const config = parseConfig({
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ADMIN_PASSWORD: 'a-password-for-tests',
    ...environmentFor(zoho.url),
  })
  const log = pino({ level: 'silent' })
  onTestFinished(async () => {
    await zoho.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  {
    await using serving = await startServer(config, log, { durable: false })
    const { db, databaseUrl, sessions } = serving.services
    const { access_token } = await sessions.open(await db.appUser.findFirstOrThrow(), null)
    const call = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`${serving.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${access_token}`, ...init.headers },
      })
      return { status: response.status, body: (await response.json()) as { status: string; data: unknown[] } }
    }
    const sync = await call('/api/settings/integrations/zoho/sync/item/execute?sync_images=true', { method: 'POST' })
    expect(sync.body.status).toBe('success')
    const store = await call('/api/v1/stores', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"code":"A","name":"A"}',
    })
    expect(store.status).toBe(201)
    const { id } = (store.body as unknown as { data: { id: string } }).data
    expect((await call(`/api/v1/sync/product-photos/?store_id=${id}`)).status).toBe(200)
    expect((await call('/api/settings/integrations/zoho/quota')).status).toBe(200)
    expect((await call('/api/settings/integrations/zoho/coverage')).status).toBe(200)

    const app = new pg.Client(databaseUrl)
    await app.connect()
    for (const sql of [
      "update audit_entry set actor = 'nobody'",
      'delete from audit_entry',
      'truncate audit_entry',
      'alter table audit_entry disable trigger all',
      'drop trigger audit_append_only on audit_entry',
      'drop table product',
      'create table mine (id int)',
      "update _prisma_migrations set checksum = ''",
      "select setval('audit_entry_id_seq', 1)",
      "select setval('login_failure_id_seq', 9223372036854775807)",
      'set role zinc',
      'alter role zinc_app superuser',
    ])
      await expect(app.query(sql), sql).rejects.toMatchObject({ code: '42501' })
    expect((await app.query('select count(*)::int as n from audit_entry')).rows[0]).toMatchObject({ n: expect.any(Number) })
    await app.end()
  }
  // The second start finds the role, and what is there stays there.
  await using again = await startServer(config, log, { durable: false })
  expect(await again.services.db.product.count()).toBe(6)
})
