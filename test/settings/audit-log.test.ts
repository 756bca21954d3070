import pg from 'pg'
import { expect, test } from 'vitest'
import { recordAudit } from '../../src/settings/audit-log.ts'
import { startZinc } from '../helpers/zinc.ts'

test('the audit log can be added to and read, and not even the owner of the tables can change it', async () => {
  const { services, call, environment } = await startZinc()
  const from = { actor: 'layla', request_id: 'r-1', ip: '192.0.2.1' }
  await services.db.$transaction((tx) => recordAudit(tx, { ...from, action: 'settings.change', target: 'zoho', fields: ['client_secret'] }))
  await services.db.$transaction((tx) => recordAudit(tx, { ...from, action: 'user.create', target: 'user:omar' }))

  const owner = new pg.Client(environment.DATABASE_URL)
  await owner.connect()
  for (const sql of [
    "update audit_entry set actor = 'nobody'",
    'update audit_entry set actor = actor where false',
    'delete from audit_entry',
    'truncate audit_entry',
  ])
    await expect(owner.query(sql)).rejects.toMatchObject({ code: '42501', message: expect.stringContaining('permission denied') })
  await owner.end()
  await expect(services.db.auditEntry.deleteMany()).rejects.toThrow(/permission denied/)

  const page = async (query: string) =>
    (await (await call(`/api/settings/integrations/zoho/audit${query}`)).json()) as {
      data: { action: string; target: string }[]
      next_cursor: string | null
    }
  const first = await page('?limit=1&actor=layla')
  expect(first.data).toMatchObject([{ action: 'user.create', target: 'user:omar', actor: 'layla', ip: '192.0.2.1', request_id: 'r-1' }])
  const second = await page(`?limit=1&actor=layla&cursor=${first.next_cursor}`)
  expect(second).toMatchObject({ data: [{ action: 'settings.change', fields: ['client_secret'] }], next_cursor: null })
  expect((await call('/api/settings/integrations/zoho/audit?cursor=x')).status).toBe(400)
})
