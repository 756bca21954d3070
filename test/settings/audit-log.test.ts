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

test('entries are found by actor, action and time, and come as one CSV that runs nothing in a sheet', async () => {
  const { services, call } = await startZinc()
  const from = { request_id: 'r-1', ip: '192.0.2.1' }
  const add = (actor: string, action: string, target: string) =>
    recordAudit(services.db, { ...from, actor, action, target, fields: ['a', 'b'] })
  await add('layla', 'settings.change', 'zoho')
  await add('omar', 'settings.change', 'zoho')
  await add('layla', 'user.create', '=cmd()')
  const rows = await services.db.auditEntry.findMany({ where: { request_id: 'r-1' }, orderBy: { id: 'asc' } })
  const AT = '/api/settings/integrations/zoho/audit'
  const targets = async (query: Record<string, string>) => {
    const response = await call(`${AT}?${new URLSearchParams(query)}`)
    return ((await response.json()) as { data: { actor: string; action: string }[] }).data.map((it) => `${it.actor} ${it.action}`)
  }
  expect(await targets({ actor: 'layla', action: 'settings.change' })).toEqual(['layla settings.change'])
  expect(await targets({ action: 'settings.change' })).toEqual(['omar settings.change', 'layla settings.change'])
  const second = rows[1]!.at.toISOString()
  expect(await targets({ from: second, to: rows[2]!.at.toISOString(), actor: 'omar' })).toEqual(['omar settings.change'])
  expect(await targets({ to: second, actor: 'omar' })).toEqual([])
  // A day alone is taken to its end.
  const day = rows[1]!.at.toISOString().slice(0, 10)
  expect(await targets({ from: day, to: day, actor: 'omar' })).toEqual(['omar settings.change'])
  expect((await call(`${AT}?from=yesterday`)).status).toBe(400)

  const response = await call(`${AT}?format=csv&actor=layla`)
  expect([response.headers.get('content-type'), response.headers.get('content-disposition')]).toEqual([
    'text/csv; charset=utf-8',
    expect.stringMatching(/^attachment; filename="zinc-audit-\d{4}-\d\d-\d\d\.csv"$/),
  ])
  expect((await response.text()).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'AT').split('\r\n')).toEqual([
    'at,actor,action,target,fields,ip,request_id',
    "AT,layla,user.create,'=cmd(),a b,192.0.2.1,r-1",
    'AT,layla,settings.change,zoho,a b,192.0.2.1,r-1',
    '',
  ])
  expect(await targets({ action: 'audit.export' })).toEqual(['admin audit.export'])
})
