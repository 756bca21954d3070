import { expect, test } from 'vitest'
import { longTest, times } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const sync = async (zinc: TestZinc, query = '') => (await request(zinc, 'POST', `/modules/crm/sync${query}`)).body
const records = (zinc: TestZinc, module: string) =>
  zinc.services.db.zohoRecord.findMany({ where: { app: 'crm', module }, orderBy: { record_id: 'asc' } })

test('CRM reads five modules, then changes and deletions; with nothing new one call each', async () => {
  const zinc = await startZinc({ crmRows: 25 })
  const { crm } = zinc.zoho
  const first = await sync(zinc)
  expect(first).toMatchObject({
    status: 'success',
    statistics: { total: 125, new: 125, updated: 0, failed: 0, contacts_total: 25 },
    errors: [],
  })
  expect((await records(zinc, 'contacts')).map((it) => it.record_id)).toEqual(crm.rows('Contacts').map((it) => it.id))
  const [deal] = await records(zinc, 'deals')
  expect(deal!.data).toMatchObject({ Deal_Name: 'Deal Name 1', Amount: 100.5 })
  expect((await records(zinc, 'contacts'))[0]!.search).toContain('عميل 1')

  const before = { ...crm.calls }
  const again = await sync(zinc)
  expect(again).toMatchObject({ status: 'success', mode: 'incremental', statistics: { new: 0, updated: 0, removed: 0 } })
  expect([crm.calls.list - before.list, crm.calls.deleted - before.deleted]).toEqual([5, 5])

  crm.edit('Contacts', crm.rows('Contacts')[3]!.id, { Phone: '+964 700 000 0000' })
  crm.add('Leads', { id: '999000000000000001', fields: { Full_Name: 'New one' } })
  const gone = crm.rows('Deals')[0]!.id
  crm.remove('Deals', gone)
  crm.remove('Products', crm.rows('Products')[0]!.id, 'permanent')
  expect(await sync(zinc)).toMatchObject({ status: 'success', statistics: { new: 1, updated: 1, removed: 2 } })
  expect((await records(zinc, 'deals')).find((it) => it.record_id === gone)?.deleted_at).toBeInstanceOf(Date)

  // Deleted longer ago than the list of deletions reaches: only a full pass can tell.
  const forgotten = crm.rows('Accounts')[0]!.id
  crm.remove('Accounts', forgotten)
  crm.forget('Accounts')
  expect(await sync(zinc)).toMatchObject({ statistics: { removed: 0 } })
  expect(await sync(zinc, '?mode=full')).toMatchObject({ status: 'success', mode: 'full', statistics: { total: 123, removed: 1 } })

  // A listing that lacks more than a fifth is more likely wrong than true.
  for (const { id } of crm.rows('Leads').slice(0, 15)) crm.remove('Leads', id)
  crm.forget('Leads')
  const stopped = await sync(zinc, '?mode=full')
  expect(stopped).toMatchObject({ status: 'partial', errors: [{ stage: 'crm:leads', code: 'mass_delete_stopped' }] })
  expect((await records(zinc, 'leads')).filter((it) => it.deleted_at !== null)).toEqual([])
  expect((await request(zinc, 'GET', '/modules/crm')).body.data.last_run).toMatchObject({ state: 'partial' })
})

longTest('CRM misses no record beyond 2,000, within one second, or edited in mid-scan', async () => {
  const zinc = await startZinc({ crmRows: 3 })
  const { crm } = zinc.zoho
  const same = new Date('2026-05-05T05:05:05Z')
  const count = times(2_400, 6_000)
  crm.set(
    'Contacts',
    Array.from({ length: count }, (_, n) => ({
      id: `5540000000${String(n).padStart(8, '0')}`,
      created: same,
      // Many in one second, as an import makes them.
      modified: n >= 300 && n < 900 ? same : new Date(Date.UTC(2026, n < 300 ? 3 : 6, 1) + n * 1_000),
      fields: { Full_Name: `Person ${n}`, Last_Name: 'x', Extra_60: `extra ${n}` },
    })),
  )
  crm.addFields(
    'Contacts',
    Array.from({ length: 70 }, (_, n) => `Extra_${n}`),
  )
  // Between two pages the first rows are edited (they move to the end) and one of those still to
  // come is deleted.
  const rows = crm.rows('Contacts')
  crm.beforePage.push(
    () => {},
    () => {},
    () => {
      crm.edit('Contacts', rows[0]!.id, { Full_Name: 'Edited while being read' })
      crm.edit('Contacts', rows[350]!.id, { Full_Name: 'Edited, too' })
      crm.remove('Contacts', rows[1_500]!.id)
    },
  )
  const response = await sync(zinc)
  expect(response).toMatchObject({ status: 'success', errors: [] })
  const kept = new Map(
    (await records(zinc, 'contacts'))
      .filter((it) => it.deleted_at === null)
      .map((it) => [it.record_id, it.data as Record<string, unknown>]),
  )
  const wrong = crm
    .rows('Contacts')
    .filter(({ id, fields }) => kept.get(id)?.Full_Name !== fields.Full_Name || kept.get(id)?.Extra_60 !== fields.Extra_60)
  expect(wrong.map((row) => row.id)).toEqual([])
  expect(kept.size).toBe(count - 1)
})

longTest('CRM names a module without scope, and reads standard fields without the fields scope', async () => {
  const scopes = [
    'ZohoInventory.items.READ',
    'ZohoInventory.settings.READ',
    ...['contacts', 'accounts', 'products', 'deals'].map((it) => `ZohoCRM.modules.${it}.READ`),
  ]
  const zinc = await startZinc({ scopes })
  await request(zinc, 'PATCH', '/modules/books', { enabled: false })
  const response = await sync(zinc)
  expect(response).toMatchObject({
    status: 'partial',
    statistics: { total: 100, failed: 1 },
    errors: [{ stage: 'crm:leads', code: 'scope_missing', zoho_code: 'OAUTH_SCOPE_MISMATCH' }],
  })

  // One scope less does not end the connection; the test names it, and says so until it is there.
  expect((await request(zinc, 'GET', '/')).body.data.connection.state).toBe('connected')
  const tested = (await request(zinc, 'POST', '/test')).body.data
  expect(tested.ok).toBe(false)
  expect(tested.checks.filter((it: { ok: boolean }) => !it.ok)).toMatchObject([
    {
      scope: 'ZohoCRM.modules.leads.READ',
      code: 'scope_missing',
      zoho_code: 'OAUTH_SCOPE_MISMATCH',
      module: 'Zoho CRM',
      remedy: expect.stringContaining('ZohoCRM.modules.leads.READ'),
    },
    { scope: 'ZohoCRM.settings.fields.READ' },
  ])
  expect((await request(zinc, 'GET', '/')).body.data.connection).toMatchObject({ state: 'stale', code: 'scope_missing' })
  await zinc.sync()
  expect((await request(zinc, 'GET', '/')).body.data.connection.state).toBe('stale')
  const listed = (await request(zinc, 'GET', '/scopes')).body.data
  expect(listed.missing).toEqual(['ZohoCRM.modules.leads.READ', 'ZohoCRM.settings.fields.READ'])
  expect(listed.line.split(',')).toContain('ZohoInventory.items.READ')
  zinc.zoho.accounts.grants[0]!.scopes.push('ZohoCRM.modules.leads.READ', 'ZohoCRM.settings.fields.READ')
  expect((await request(zinc, 'POST', '/test')).body.data).toMatchObject({ ok: true })
  expect((await request(zinc, 'GET', '/')).body.data.connection.state).toBe('connected')
})

longTest('CRM: a run that is parked in the middle goes on and counts nothing twice', async () => {
  const zinc = await startZinc({ crmRows: 450 })
  const { crm } = zinc.zoho
  const { runs } = zinc.services
  const { promise: reached, resolve } = Promise.withResolvers<void>()
  crm.beforePage.push(
    () => {},
    () => {},
    () => {},
    () => resolve(),
  )
  const { run_id } = await runs.start('crm', { mode: 'full' }, { startedBy: 'test' })
  await reached
  await runs.pause(run_id)
  await runs.resume(run_id)
  const run = await runs.wait(run_id, AbortSignal.timeout(60_000))
  expect(run.state).toBe('success')
  expect(run.statistics).toMatchObject({ total: 2_250, new: 2_250, unchanged: 0 })
})

const NO_MODULE = { times: 10_000, status: 400, body: '{"code":"INVALID_MODULE","message":"the module name given seems to be invalid"}' }

test('a CRM module that the organisation does not have is reported once and left out', async () => {
  const zinc = await startZinc({ crmRows: 5 })
  zinc.zoho.fail({ path: /crm\/v8\/(Leads|settings\/fields\?module=Leads)/, ...NO_MODULE })
  expect(await sync(zinc)).toMatchObject({
    status: 'success',
    statistics: { total: 20, failed: 0 },
    errors: [{ stage: 'crm:leads', code: 'crm_module_missing', zoho_code: 'INVALID_MODULE' }],
  })
  const { last_sync, last_run } = (await request(zinc, 'GET', '/modules/crm')).body.data
  expect(last_sync).toBe(last_run.finished_at)
  expect(await sync(zinc)).toMatchObject({ status: 'success', errors: [] })
  expect((await request(zinc, 'GET', '/failures')).body).toMatchObject({
    total: 1,
    data: [{ code: 'crm_module_missing', stage: 'crm:leads', retryable: false, failures: [{ zoho_code: 'INVALID_MODULE' }] }],
  })
})

longTest('a CRM module that is shown again is read, and its report goes', async () => {
  const zinc = await startZinc({ crmRows: 5 })
  zinc.zoho.fail({ path: /crm\/v8\/Leads/, ...NO_MODULE })
  await sync(zinc)
  zinc.zoho.clearFaults()
  expect(await sync(zinc)).toMatchObject({ status: 'success', statistics: { leads_total: 5 } })
  expect((await request(zinc, 'GET', '/failures')).body.total).toBe(0)
})

longTest('the connection test passes without a CRM module that the organisation does not have', async () => {
  const zinc = await startZinc({ crmRows: 5 })
  await request(zinc, 'PATCH', '/modules/books', { enabled: false })
  zinc.zoho.fail({ path: /crm\/v8\/Leads/, ...NO_MODULE })
  const { ok, checks } = (await request(zinc, 'POST', '/test')).body.data
  expect(ok).toBe(true)
  expect(checks.find((it: { scope?: string }) => it.scope === 'ZohoCRM.modules.leads.READ')).toMatchObject({
    ok: true,
    message: expect.stringContaining('does not have this module'),
  })
})
