import { expect } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

const FEW = Object.fromEntries(
  ['invoices', 'contacts', 'customerpayments', 'bills', 'vendorpayments', 'salesorders', 'purchaseorders', 'creditnotes'].map((name) => [
    name,
    3,
  ]),
)

longTest('each of the four modules runs a real sync by hand and by schedule', async () => {
  let aheadMs = 0
  const clock = { now: () => new Date(Date.now() + aheadMs), sleep: async () => {} }
  const zinc = await startZinc({ clock, crmRows: 5, books: FEW })
  await request(zinc, 'PATCH', '/modules/invoice', { enabled: true })
  const tested = (await request(zinc, 'POST', '/test')).body.data
  expect(tested.checks.filter((it: { ok: boolean }) => !it.ok)).toEqual([])
  expect(tested.checks.map((it: { module?: string }) => it.module)).toEqual(
    expect.arrayContaining(['Zoho CRM', 'Zoho Books', 'Zoho Inventory', 'Zoho Invoice']),
  )
  const total: Record<string, number> = {}
  for (const slug of ['inventory', 'crm', 'books', 'invoice']) {
    expect((await request(zinc, 'GET', `/modules/${slug}`)).body.data.last_sync).toBeNull()
    const { status, body } = await request(zinc, 'POST', `/modules/${slug}/sync`)
    expect([slug, status, body.status, body.errors]).toEqual([slug, 200, 'success', []])
    total[slug] = body.statistics.total
    const module = (await request(zinc, 'GET', `/modules/${slug}`)).body.data
    expect(module).toMatchObject({ last_sync: expect.any(String), last_run: { id: body.run_id, state: 'success' } })
  }
  for (const [slug, count] of Object.entries(total)) expect([slug, count > 0]).toEqual([slug, true])

  const read = async (path: string) => ((await (await zinc.call(path)).json()) as { data: Record<string, unknown>[] }).data
  expect(await read('/api/zoho/crm/contacts')).toHaveLength(5)
  expect((await read('/api/zoho/crm/deals'))[0]).toMatchObject({ Deal_Name: 'Deal Name 1', zinc: { deleted_at: null } })
  expect((await read('/api/zoho/books/invoices')).length).toBeGreaterThan(0)
  expect((await read('/api/zoho/invoice/invoices')).length).toBeGreaterThan(0)

  // Started by the clock: in the name of the schedule, incremental, and the next time is set.
  await request(zinc, 'PATCH', '/modules/crm', { schedule: '0 * * * *' })
  const { next_run } = (await request(zinc, 'GET', '/modules/crm')).body.data
  aheadMs = Date.parse(next_run) - Date.now() + 1_000
  await zinc.services.scheduler.look(zinc.services.modules.startDue)
  const [run] = await zinc.services.runs.list({ kind: 'crm', limit: 1 })
  expect(run).toMatchObject({ started_by: 'schedule' })
  expect((await zinc.services.runs.wait(run!.id, AbortSignal.timeout(60_000))).state).toBe('success')
  expect(Date.parse((await request(zinc, 'GET', '/modules/crm')).body.data.next_run) - Date.parse(next_run)).toBe(3_600_000)

  // Books under way: Invoice has to wait, Books again is done already, and an incremental sync of
  // Books does not stand for a full one.
  const { startDue } = zinc.services.modules
  const { runs } = zinc.services
  zinc.zoho.fail({ path: /books\/v3\/invoices/, times: 1, cut: 'silent' })
  const { run_id } = await runs.start('pull', { app: 'books' }, { startedBy: 'schedule' })
  expect(await startDue({ module: 'invoice', mode: 'incremental', since: null })).toBe(false)
  expect(await startDue({ module: 'books', mode: 'incremental', since: null })).toBe(true)
  expect(await startDue({ module: 'books', mode: 'full', since: null })).toBe(false)
  await runs.cancel(run_id)
  zinc.zoho.clearFaults()
  expect(await startDue({ module: 'invoice', mode: 'incremental', since: null })).toBe(true)
  const [invoice] = await runs.list({ kind: 'pull', limit: 1 })
  expect((await runs.wait(invoice!.id, AbortSignal.timeout(60_000))).state).toBe('success')
  // A process that was killed after it had started it: it is not started again.
  expect(await startDue({ module: 'invoice', mode: 'incremental', since: new Date(invoice!.created_at.getTime() - 1_000) })).toBe(true)
  expect((await runs.list({ kind: 'pull', limit: 1 }))[0]!.id).toBe(invoice!.id)
})
