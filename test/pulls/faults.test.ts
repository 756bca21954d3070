import { expect } from 'vitest'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { NO_LIMITS } from '../../src/zoho-simulator/rate-limits.ts'
import { createFastClock } from '../helpers/clock.ts'
import { longTest, times } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { SMALL, startPulls } from './helpers.ts'

const HTML = '<html><body>Service Unavailable</body></html>'
const FAULTS = [
  { name: 'a page of HTML with 200', status: 200, body: HTML, contentType: 'text/html' },
  { name: 'a page of HTML with 502', status: 502, body: HTML, contentType: 'text/html' },
  { name: 'a page of HTML with 503', status: 503, body: HTML, contentType: 'text/html' },
  { name: 'an empty body', status: 200, body: '' },
  { name: 'an internal error', status: 500, body: '{"code":1000,"message":"Internal error"}' },
  { name: 'a code with 200', status: 200, body: '{"code":1038,"message":"JSON is not well formed"}' },
  { name: 'a success without rows', status: 200, body: '{"code":0,"message":"success"}' },
  {
    name: 'a row without an id',
    status: 200,
    body: '{"code":0,"contacts":[{"contact_name":"x"}],"bill":{"total":1},"page_context":{"has_more_page":false}}',
  },
  { name: 'a missing scope', status: 401, body: '{"code":57,"message":"You are not authorized to perform this operation"}' },
  { name: 'a body that is cut', cut: 'body' as const },
  { name: 'a connection that is reset', cut: 'reset' as const },
]

/** The list of one module, and the details of another. */
const TARGETS = [
  ['contacts', /books\/v3\/contacts/],
  ['bills', /books\/v3\/bills\/\d/],
] as const

longTest('a failing module leaves others and its watermark complete; the next pull catches up', async () => {
  const { zinc, books, pull, newest, rows, json } = await startPulls({ clock: createFastClock(60) })
  const { db } = zinc.services
  const modules = ['contacts', 'bills', 'organizations', 'vendorpayments']
  expect((await pull({ modules })).state).toBe('success')
  const upTo = async (module: string) =>
    (await db.pullModule.findUnique({ where: { app_module: { app: 'books', module } } }))?.up_to?.toISOString()

  for (const [n, { name, ...fault }] of FAULTS.entries()) {
    // Both with each fault in the long form, in turn in the short one.
    for (const [module, path] of times(0, 1) ? TARGETS : [TARGETS[n % 2]!]) {
      const id = books.ids(module)[n % SMALL.bills]!
      zinc.zoho.advance(2_000)
      books.edit(module, id, { notes: `edit ${n}` })
      const payment = books.ids('vendorpayments')[n % SMALL.vendorpayments]!
      books.edit('vendorpayments', payment, { description: `${module} ${n}` })
      const before = await upTo(module)
      zinc.zoho.fail({ path, times: 1_000, ...fault })
      const run = await pull({ modules })
      expect([name, module, run.state]).toEqual([name, module, 'partial'])
      expect([name, await upTo(module)]).toEqual([name, before])
      const session = await newest()
      const info = await json(session, 'session_info.json')
      expect(info.status).toBe('incomplete')
      const states = (info.modules as { module: string; state: string }[]).filter((it) => it.state !== 'success')
      expect([name, states.map((it) => it.module)]).toEqual([name, [module]])
      expect(await json(session, 'reports/session_summary.json')).toMatchObject({ incomplete: true, failed: [{ module }] })
      expect((await rows(session, 'vendorpayments.json')).map((it) => it.payment_id)).toEqual([payment])
      await expect(rows(session, `${module}.json`)).rejects.toThrow('ENOENT')
      zinc.zoho.clearFaults()
      expect((await pull({ modules: [module] })).state).toBe('success')
      const made = await rows(await newest(), `${module}.json`)
      expect([name, made.map((it) => [Object.values(it)[0], it.notes])]).toEqual([name, [[id, `edit ${n}`]]])
    }
  }

  // What a failed pull had written already stands in the next file, though it is listed as
  // unchanged then.
  const edited = books.ids('bills').slice(0, 3)
  zinc.zoho.advance(2_000)
  for (const id of edited) books.edit('bills', id, { notes: 'half way' })
  zinc.zoho.fail({ path: new RegExp(`bills/${edited[2]}`), times: 1_000, status: 500, body: HTML })
  expect((await pull({ modules: ['bills'] })).state).toBe('failed')
  zinc.zoho.clearFaults()
  books.counters.detailIds.splice(0)
  await pull({ modules: ['bills'] })
  expect(books.counters.detailIds).toEqual([edited[2]])
  expect((await rows(await newest(), 'bills.json')).map((it) => it.bill_id)).toEqual(edited)
})

longTest('a list that ends early removes nothing, and many removals need a confirmation', async () => {
  const { zinc, books, pull, newest, rows } = await startPulls({ books: { ...SMALL, contacts: 60 } })
  const { db } = zinc.services
  const modules = ['contacts', 'bills']
  await pull({ modules })
  const live = (module: string) => db.zohoRecord.count({ where: { module, deleted_at: null } })

  books.short.set('contacts', 1)
  expect((await pull({ modules: ['contacts'] })).failure_code).toBe('list_truncated')
  books.short.set('contacts', 1)
  expect((await pull({ modules: ['contacts'], full: true })).failure_code).toBe('mass_delete_stopped')
  expect(await live('contacts')).toBe(60)

  for (const id of books.ids('contacts').slice(0, 20)) books.remove('contacts', id)
  books.counters.detailIds.splice(0)
  const stopped = await pull({ modules: ['contacts'], full: true })
  expect([stopped.state, stopped.failure_code]).toEqual(['failed', 'mass_delete_stopped'])
  expect(books.counters.detailIds).toEqual([])
  expect(stopped.remedy).toContain('confirm_removals')
  expect((await pull({ modules: ['contacts'], full: true, confirm_removals: true })).state).toBe('success')
  expect(await live('contacts')).toBe(40)
  expect((await rows(await newest(), 'contacts.json')).length).toBe(40)

  // Gone between the list and its detail: neither a failure nor a leftover.
  const id = books.ids('bills')[4]!
  zinc.zoho.advance(2_000)
  books.edit('bills', id, { notes: 'last words' })
  zinc.zoho.fail({ path: new RegExp(`bills/${id}`), times: 1, status: 404, body: '{"code":1002,"message":"Bill does not exist."}' })
  expect((await pull({ modules: ['bills'] })).state).toBe('success')
  expect(await live('bills')).toBe(SMALL.bills - 1)
})

longTest("at the end of the day's quota a pull waits where it is, says until when, and goes on by itself", async () => {
  let aheadMs = 0
  const clock: Clock = { now: () => new Date(Date.now() + aheadMs), sleep: systemClock.sleep }
  const { zinc, books, pull, sessions, newest } = await startPulls({ clock, limits: { ...NO_LIMITS, perDay: 50 } })
  const { runs } = zinc.services
  const run = await pull({ modules: ['invoices'] })
  expect([run.state, run.resumes_at === null]).toEqual(['paused', false])
  const [folder] = await sessions()
  expect(folder).toMatch(/^\.sync_session/)
  expect((await zinc.services.pulls.sessions.list())[0]).toMatchObject({
    badge: 'paused',
    status: 'paused',
    resumes_at: run.resumes_at!.toISOString(),
  })
  await expect(zinc.services.pulls.sessions.remove(folder!.slice(1))).rejects.toThrow('not finished')
  expect(zinc.zoho.meter.calls).toBeLessThanOrEqual(50)
  let at = run
  for (let day = 1; day <= 2; day++) {
    expect(at.state).toBe('paused')
    const resumesAt = at.resumes_at
    zinc.zoho.advance(25 * 3_600_000)
    aheadMs += 25 * 3_600_000
    // It is taken up without anybody's word.
    await waitFor(async () => {
      at = await runs.get(run.id)
      return at.state === 'success' || (at.state === 'paused' && at.resumes_at?.getTime() !== resumesAt?.getTime())
    })
  }
  expect(at.state).toBe('success')
  expect(await newest()).toBe(folder!.slice(1))
  expect(books.counters.details).toEqual({ invoices: SMALL.invoices })
})
