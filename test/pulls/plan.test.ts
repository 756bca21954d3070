import { expect } from 'vitest'
import type { PullPlan } from '../../src/schemas/pulls.ts'
import { longTest } from '../helpers/long.ts'
import { SMALL, startPulls } from './helpers.ts'

const LIMITS = { perMinute: null, perDay: 1_000, inFlight: null, blockMs: 60_000 }

longTest('a plan states calls, minutes and days of a pull, and the pull takes just those', async () => {
  const { zinc, books, pull } = await startPulls({ limits: LIMITS })
  const plan = async (body: object) => {
    const response = await zinc.call('/api/pulls/plan', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { ...((await response.json()) as { data: PullPlan; code?: string }), status: response.status }
  }
  const module = async (body: object, name: string) => (await plan(body)).data.modules.find((it) => it.module === name)
  const callsOf = (runId: string) => zinc.services.db.zohoCall.count({ where: { run_id: runId } })

  // Never pulled: without a call nobody knows.
  const blind = (await plan({})).data
  expect(blind).toMatchObject({ complete: false, counting_calls: 0 })
  expect(blind.modules.find((it) => it.module === 'invoices')).toMatchObject({ mode: 'full', records: null, basis: 'unknown' })
  expect(await zinc.services.db.zohoCall.count()).toBe(0)

  // Two pages of the list, and a detail for each invoice.
  const first = (await plan({ modules: ['invoices', 'contacts'], count: true })).data
  expect(first).toMatchObject({
    complete: true,
    calls: { list: 2, details: SMALL.invoices, total: 2 + SMALL.invoices },
    days: 1,
    modules: [
      { module: 'invoices', records: SMALL.invoices, basis: 'counted' },
      { module: 'contacts', records: SMALL.contacts, basis: 'counted', calls: { details: 0 } },
    ],
  })
  expect(await zinc.services.db.zohoCall.count()).toBe(first.counting_calls)
  const done = await pull({ modules: ['invoices', 'contacts'] })
  expect(await callsOf(done.id)).toBe(first.calls.total)

  // Nothing changed: a call a module. Two edits and a new one: three details more.
  expect(await module({ modules: ['invoices'], count: true }, 'invoices')).toMatchObject({
    mode: 'incremental',
    calls: { list: 1, details: 0 },
  })
  expect(await module({ modules: ['invoices'], full: true }, 'invoices')).toMatchObject({
    records: SMALL.invoices,
    basis: 'estimated',
    calls: { list: 1 },
  })
  for (const id of books.ids('invoices').slice(0, 2)) books.edit('invoices', id, { notes: 'edited' })
  const edited = (await plan({ modules: ['invoices'], count: true })).data
  expect(edited.calls).toMatchObject({ list: 1, details: 2 })
  expect(await callsOf((await pull({ modules: ['invoices'] })).id)).toBe(edited.calls.total)
  // Asked for without line items there are no details.
  expect(await module({ modules: ['invoices'], full: true, line_items: false }, 'invoices')).toMatchObject({ calls: { details: 0 } })

  // Documents that were pulled without their lines owe them, but a pull since some moment asks only
  // for those that it lists.
  await pull({ modules: ['bills'], line_items: false })
  books.edit('bills', books.ids('bills')[0]!, { notes: 'edited' })
  const since = new Date(Date.now() - 60_000).toISOString()
  expect(await module({ modules: ['bills'], since, count: true }, 'bills')).toMatchObject({
    mode: 'since',
    records: 1,
    calls: { details: 1 },
  })

  expect(await plan({ app: 'invoice', modules: ['bills'] })).toMatchObject({ status: 400, code: 'no_such_module' })
  expect(await plan({ modules: ['bills'], since: 'soon' })).toMatchObject({ status: 400, code: 'invalid_time' })
})

longTest('a module of many pages is counted exactly in a few calls and planned over several days', async () => {
  const { zinc } = await startPulls({ limits: LIMITS, books: { ...SMALL, invoices: 4_321, contacts: 4_200 } })
  const plan = await zinc.services.pulls.plan({ modules: ['invoices', 'contacts'], count: true }, AbortSignal.timeout(30_000))
  expect(plan.modules).toMatchObject([{ records: 4_321 }, { records: 4_200 }])
  expect(plan.counting_calls).toBeLessThanOrEqual(2 * 10)
  // Some 4,370 calls at 1,000 a day.
  expect(plan.days).toBe(5)
})
