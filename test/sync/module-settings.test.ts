import { expect, test } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

const FEW = {
  invoices: 4,
  contacts: 3,
  customerpayments: 3,
  bills: 3,
  vendorpayments: 3,
  salesorders: 3,
  purchaseorders: 3,
  creditnotes: 3,
}

longTest('a module takes what was chosen: pictures or not, some modules of Books, with line items or without', async () => {
  const zinc = await startZinc({ books: FEW })
  const change = (slug: string, selection: object) => request(zinc, 'PATCH', `/modules/${slug}`, { selection })
  expect((await request(zinc, 'GET', '/modules/books')).body.data).toMatchObject({
    selection: { sync_images: null, modules: null, line_items: true },
    offered: expect.arrayContaining(['invoices', 'organizations']),
  })
  expect(await change('books', { modules: [] })).toMatchObject({ status: 400, body: { code: 'invalid_selection' } })
  expect(await change('invoice', { modules: ['bills'] })).toMatchObject({ status: 400, body: { code: 'invalid_selection' } })
  expect((await change('books', { modules: ['contacts', 'invoices'], line_items: false })).body.data.selection).toEqual({
    sync_images: null,
    modules: ['invoices', 'contacts'],
    line_items: false,
  })
  const books = (await request(zinc, 'POST', '/modules/books/sync')).body
  expect(books).toMatchObject({ status: 'success', statistics: { total: FEW.invoices + FEW.contacts } })
  expect(await zinc.services.db.zohoCall.count({ where: { run_id: books.run_id } })).toBe(2)

  await change('inventory', { sync_images: false })
  expect((await request(zinc, 'POST', '/modules/inventory/sync')).body.statistics).toMatchObject({ total: 30, images_downloaded: 0 })
  // Enabling and scheduling leave the choice alone.
  expect((await request(zinc, 'PATCH', '/modules/inventory', { enabled: true })).body.data.selection.sync_images).toBe(false)
})

test("a module's cursor moves back, never ahead or during a sync; without it all is read again", async () => {
  const zinc = await startZinc()
  const { zoho } = zinc
  const cursor = async (up_to: string | null) => request(zinc, 'PUT', '/modules/inventory/cursor', { up_to })
  const shown = async () => (await request(zinc, 'GET', '/modules/inventory')).body.data.cursor
  expect(await shown()).toBeNull()
  await zinc.sync()
  const at = await shown()
  const newest = Math.max(...zoho.items().map((item) => item.modified.getTime()))
  expect(Date.parse(at)).toBe(Math.floor(newest / 1_000) * 1_000)

  expect(await cursor(new Date(newest + 60_000).toISOString())).toMatchObject({ status: 400, body: { code: 'cursor_ahead' } })
  const times = zoho.items().map((item) => item.modified.getTime())
  const back = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!
  expect((await cursor(new Date(back).toISOString())).body.data.cursor).toBe(new Date(back).toISOString())
  expect(await zinc.sync()).toMatchObject({
    mode: 'incremental',
    statistics: { total: times.filter((time) => time >= back - 5 * 60_000).length, updated: 0 },
  })

  expect((await cursor(null)).body.data.cursor).toBeNull()
  expect(await zinc.sync()).toMatchObject({ mode: 'full', statistics: { total: 30, unchanged: 30 } })

  zoho.fail({ path: /items\?/, times: 1, cut: 'silent' })
  const { run_id } = (await request(zinc, 'POST', '/sync/item/execute?wait=false')).body
  expect(await cursor(null)).toMatchObject({ status: 409, body: { code: 'sync_running', run_id } })
  await zinc.services.runs.cancel(run_id)
})

longTest('a run is downloaded whole: itself, what it failed at, and what it did to each record', async () => {
  const zinc = await startZinc()
  const [broken] = zinc.zoho.items().filter((item) => item.image_document_id !== '')
  zinc.zoho.fail({ path: new RegExp(`items/${broken!.item_id}/image`), status: 500, times: 99 })
  const { run_id } = await zinc.sync('?sync_images=true')
  const response = await zinc.call(`/api/settings/integrations/zoho/sync/runs/${run_id}/export`)
  expect(response.headers.get('content-disposition')).toBe(`attachment; filename="zinc-run-${run_id}.json"`)
  const whole = (await response.json()) as { run: object; failures: object[]; records: object[] }
  expect(whole).toMatchObject({
    run: { id: run_id, state: 'partial' },
    failures: [{ zoho_item_id: broken!.item_id, stage: 'image' }],
  })
  expect(whole.records).toHaveLength(30)
  const calls = (await request(zinc, 'GET', `/calls?run_id=${run_id}&limit=500`)).body.data as { run_id: string }[]
  expect(calls.length).toBeGreaterThan(20)
  expect(calls.every((it) => it.run_id === run_id)).toBe(true)
  expect((await request(zinc, 'GET', '/modules/inventory')).body.data.last_run).toMatchObject({
    listed: 30,
    failed: 1,
    calls: calls.length,
  })
  expect(whole.records[0]).toMatchObject({ outcome: 'new', record_id: expect.any(String) })
})
