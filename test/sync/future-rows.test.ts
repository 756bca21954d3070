import { expect } from 'vitest'
import { PULL } from '../../src/pulls/checkpoint.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'
import { SMALL } from '../pulls/helpers.ts'

const DAY_MS = 86_400_000

longTest('an item dated in the future does not hide later edits, and a full pass puts a cursor right', async () => {
  const { zoho, sync, services } = await startZinc({ synced: true })
  const { db } = services
  const [odd, one, two] = zoho.items()
  const priceOf = async (id: string) => (await db.product.findUniqueOrThrow({ where: { zoho_item_id: id } })).selling_price?.toFixed()
  const cursor = async () => (await db.watermark.findUniqueOrThrow({ where: { name: 'items' } })).up_to!.getTime()
  zoho.edit(odd!.item_id, { rate: 5, modified: new Date(Date.now() + 30 * DAY_MS) })
  await sync()
  expect(await cursor()).toBeLessThanOrEqual(Date.now())
  zoho.edit(one!.item_id, { rate: 61 })
  await sync()
  expect([await priceOf(odd!.item_id), await priceOf(one!.item_id)]).toEqual(['5', '61'])

  // A cursor that an older version has left in the future: the next sync is a full one.
  await db.watermark.update({ where: { name: 'items' }, data: { up_to: new Date(Date.now() + 60 * DAY_MS) } })
  zoho.edit(two!.item_id, { rate: 62 })
  expect(await sync()).toMatchObject({ status: 'success', mode: 'full' })
  expect(await priceOf(two!.item_id)).toBe('62')
  expect(await cursor()).toBeLessThanOrEqual(Date.now())

  // Zoho's clock counts and not ours: it is an hour behind here.
  zoho.toggles.dateHeader = -3_600_000
  await sync('?mode=full')
  expect(await cursor()).toBeLessThanOrEqual(Date.now() - 3_590_000)
})

longTest('a record of CRM or Books dated in the future does not hide later edits', async () => {
  const zinc = await startZinc({ crmRows: 4, books: { ...SMALL, invoices: 3 } })
  const { crm, books } = zinc.zoho
  const { db, runs } = zinc.services
  const future = new Date(Math.floor((Date.now() + 30 * DAY_MS) / 1000) * 1000)
  const sync = async () => (await request(zinc, 'POST', '/modules/crm/sync')).body
  const pull = async () => {
    const { run_id } = await runs.start(PULL, { modules: ['contacts'] } as never, { startedBy: 'test' })
    return runs.wait(run_id, AbortSignal.timeout(60_000))
  }
  crm.rows('Contacts')[0]!.modified = future
  const [first, second] = books.ids('contacts')
  books.store('contacts').byId.get(first!)!.modifiedS = future.getTime() / 1000
  expect([(await sync()).status, (await pull()).state]).toEqual(['success', 'success'])
  crm.edit('Contacts', crm.rows('Contacts')[1]!.id, { Phone: '+964 1' })
  books.edit('contacts', second!, { contact_name: 'Later edit' })
  expect([(await sync()).status, (await pull()).state]).toEqual(['success', 'success'])
  const find = (app: string, record_id: string) => db.zohoRecord.findFirstOrThrow({ where: { app, record_id } })
  expect((await find('crm', crm.rows('Contacts')[1]!.id)).data).toMatchObject({ Phone: '+964 1' })
  expect((await find('books', second!)).data).toMatchObject({ contact_name: 'Later edit' })
  const { up_to } = await db.watermark.findUniqueOrThrow({ where: { name: 'crm:contacts' } })
  expect(up_to!.getTime()).toBeLessThanOrEqual(Date.now())
})
