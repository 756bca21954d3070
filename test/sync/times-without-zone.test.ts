import { expect, test } from 'vitest'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'
import { startPulls } from '../pulls/helpers.ts'

// Before and after the change to summer time.
const [winter, summer] = ['2026-03-29T01:30:00', '2026-03-29T03:30:00']
const read = ['2026-03-29T00:30:00.000Z', '2026-03-29T01:30:00.000Z']

test('times without an offset are the organization’s, for items and CRM alike', async () => {
  const zinc = await startZinc({ synced: true, zone: 'Europe/Berlin', crmRows: 1 })
  const { zoho, services } = zinc
  const { db } = services
  const respond = (path: RegExp, rows: Record<string, unknown>) =>
    zoho.fail({ path, times: 1, body: JSON.stringify({ code: 0, ...rows }), contentType: 'application/json' })

  const items = zoho.items().slice(0, 2)
  await db.watermark.deleteMany({ where: { name: 'items' } })
  respond(/v1\/items\?/, {
    items: items.map((item, n) => ({ item_id: item.item_id, name: item.name, rate: n, last_modified_time: [winter, summer][n] })),
    page_context: { page: 1, has_more_page: false },
  })
  await zinc.sync('?mode=full')
  const products = await db.product.findMany({
    where: { zoho_item_id: { in: items.map((item) => item.item_id) } },
    orderBy: { zoho_modified_at: 'asc' },
  })
  expect(products.map((it) => it.zoho_modified_at?.toISOString())).toEqual(read)

  respond(/crm\/v8\/Contacts\?/, {
    data: [winter, summer].map((at, n) => ({ id: String(n + 1), Last_Name: 'x', Modified_Time: at })),
    info: { more_records: false },
  })
  await request(zinc, 'POST', '/modules/crm/sync')
  const contacts = await db.zohoRecord.findMany({
    where: { app: 'crm', module: 'contacts', record_id: { in: ['1', '2'] } },
    orderBy: { record_id: 'asc' },
  })
  expect(contacts.map((it) => it.modified_at?.toISOString())).toEqual(read)
})

test('times of Books without an offset are the organization’s, in the records and in the watermark', async () => {
  const { zinc, pull } = await startPulls({ zone: 'Europe/Berlin' })
  const { db } = zinc.services
  const contacts = [winter, summer].map((last_modified_time, n) => ({ contact_id: String(n + 1), contact_name: 'x', last_modified_time }))
  const body = JSON.stringify({ code: 0, contacts, page_context: { page: 1, has_more_page: false } })
  zinc.zoho.fail({ path: /books\/v3\/contacts\?/, times: 10, body, contentType: 'application/json' })
  expect(await pull({ modules: ['contacts', 'organizations'] })).toMatchObject({ state: 'success' })
  const records = await db.zohoRecord.findMany({ where: { app: 'books', module: 'contacts' }, orderBy: { record_id: 'asc' } })
  expect(records.map((it) => it.modified_at?.toISOString())).toEqual(read)
  const { up_to } = await db.pullModule.findUniqueOrThrow({ where: { app_module: { app: 'books', module: 'contacts' } } })
  expect(up_to?.toISOString()).toBe(read[1])
})
