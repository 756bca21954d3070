import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { SMALL, startPulls } from './helpers.ts'

/** Two pages of a list; documents over several pages are in kills.test.ts. */
const BOOKS = { ...SMALL, contacts: 230 }
const LINE_ITEM_MODULES = ['invoices', 'bills', 'salesorders', 'purchaseorders', 'creditnotes'] as const

test('a first pull brings every module whole, the next ones only what changed, each by its own watermark', async () => {
  const { zinc, books, pull, newest, rows, json, rawPath, sessions } = await startPulls({ books: BOOKS })
  const first = await pull()
  expect([first.state, first.cause]).toEqual(['success', null])
  const session = await newest()
  expect(await sessions()).toEqual([session])
  const root = join(zinc.dataDir, 'sync_sessions', session)
  expect((await readdir(root)).sort()).toEqual(['README.md', 'logs', 'manifest.json', 'raw_json', 'reports', 'session_info.json'])

  // One list call a page, one detail call a document, nothing else.
  expect(books.counters.details).toEqual({ invoices: SMALL.invoices, bills: 9, salesorders: 8, purchaseorders: 5, creditnotes: 7 })
  expect(books.counters.lists).toEqual({
    invoices: 1,
    contacts: 3, // by page, and once more at the end
    customerpayments: 1,
    bills: 1,
    vendorpayments: 1,
    salesorders: 1,
    purchaseorders: 1,
    creditnotes: 1,
  })
  for (const [module, count] of Object.entries({ ...BOOKS, items: 30, organizations: 1 })) {
    expect([module, (await rows(session, `${module}.json`)).length]).toEqual([module, count])
  }
  for (const module of LINE_ITEM_MODULES) {
    const id = `${module.slice(0, -1)}_id`
    const documents = await rows(session, `${module}.json`)
    expect(documents.every((it) => !('line_items' in it) && 'sub_total' in it)).toBe(true)
    const lines = await rows(session, `${module}_line_items.json`)
    expect(new Set(lines.map((it) => it[id]))).toEqual(new Set(documents.map((it) => it[id])))
    expect(lines.every((it) => Object.keys(it)[0] === id && 'item_total' in it)).toBe(true)
  }
  // Keys, long ids and the digits of numbers are as Zoho wrote them.
  const text = await readFile(await rawPath(session, 'invoices.json'), 'utf8')
  expect(text).toMatch(/"external_reference":900719925474\d{7},/)
  expect(text).toMatch(/"exchange_rate":1\.000000,/)
  expect(text).toMatch(/"sub_total":\d+\.\d0,/)
  expect(text.split('\n').filter((line) => line.startsWith('{"invoice_id"')).length).toBe(SMALL.invoices)

  // The manifest tells the truth, the summary adds up.
  const { files } = (await json(session, 'manifest.json')) as { files: { file: string; rows: number; bytes: number; sha256: string }[] }
  expect(files.length).toBe(15)
  for (const file of files) {
    const bytes = await readFile(join(root, file.file))
    expect([file.file, file.bytes, file.sha256]).toEqual([file.file, bytes.length, createHash('sha256').update(bytes).digest('hex')])
    expect((JSON.parse(bytes.toString()) as unknown[]).length).toBe(file.rows)
  }
  const info = await json(session, 'session_info.json')
  expect(info).toMatchObject({ session, status: 'complete', app: 'books', line_items: true, run_id: first.id })
  expect(info.api_calls).toBe(await zinc.services.db.zohoCall.count({ where: { run_id: first.id } }))
  const summary = await json(session, 'reports/session_summary.json')
  expect(summary).toMatchObject({
    status: 'complete',
    incomplete: false,
    failed: [],
    totals: { modules: 10, failed: 0, records: Object.values(BOOKS).reduce((a, b) => a + b) + 30 + 1 },
  })

  // In the database a document stands with its line items, and equals what the files hold.
  const { db } = zinc.services
  const invoices = await rows(session, 'invoices.json')
  const lines = await rows(session, 'invoices_line_items.json')
  for (const { record_id, data } of await db.zohoRecord.findMany({ where: { module: 'invoices' } })) {
    const { line_items, ...document } = data as { line_items: object[] }
    expect(document).toEqual(invoices.find((it) => it.invoice_id === record_id))
    expect(line_items.map((line) => ({ invoice_id: record_id, ...line }))).toEqual(lines.filter((it) => it.invoice_id === record_id))
  }

  // Nothing changed: one list call a module, no detail, empty files.
  const quietLists = structuredClone(books.counters.lists)
  expect((await pull()).state).toBe('success')
  expect(books.counters.details.invoices).toBe(SMALL.invoices)
  for (const [module, calls] of Object.entries(books.counters.lists)) expect([module, calls - quietLists[module]!]).toEqual([module, 1])
  expect(await rows(await newest(), 'invoices.json')).toEqual([])
  expect(await rows(await newest(), 'organizations.json')).toEqual([])

  // An edit, an addition and a deletion: only these are read, and a full pass finds what is gone.
  const [edited, , gone] = books.ids('invoices')
  books.edit('invoices', edited!, { reference_number: 'changed' })
  const added = books.add('invoices')
  books.remove('invoices', gone!)
  books.edit('contacts', books.ids('contacts')[3]!, { phone: '1' })
  books.counters.detailIds.splice(0)
  expect((await pull()).state).toBe('success')
  expect([...books.counters.detailIds].sort()).toEqual([edited, added].sort())
  expect((await rows(await newest(), 'invoices.json')).map((it) => it.invoice_id)).toEqual([edited, added].sort())
  expect((await rows(await newest(), 'contacts.json')).length).toBe(1)
  expect(await db.zohoRecord.count({ where: { module: 'invoices', deleted_at: null } })).toBe(SMALL.invoices + 1)

  books.counters.detailIds.splice(0)
  const full = await pull({ modules: ['invoices'], full: true })
  expect([full.state, (full.statistics as { removed: number }).removed]).toEqual(['success', 1])
  expect(books.counters.detailIds).toEqual([gone]) // asked for once more before it is called gone
  expect((await rows(await newest(), 'invoices.json')).length).toBe(SMALL.invoices)
  expect(await db.zohoRecord.count({ where: { module: 'invoices', deleted_at: { not: null } } })).toBe(1)
})

longTest('pulls without line items, since a time or without a session move no watermark past a gap', async () => {
  const { zinc, books, pull, newest, rows, json } = await startPulls()
  const { db } = zinc.services
  const watermark = async () => (await db.pullModule.findUnique({ where: { app_module: { app: 'books', module: 'bills' } } }))?.up_to

  const plain = await pull({ modules: ['bills', 'items'], line_items: false })
  expect(plain.state).toBe('success')
  expect(books.counters.details).toEqual({})
  expect((await rows(await newest(), 'bills.json')).every((it) => !('sub_total' in it) && 'due_days' in it)).toBe(true)
  expect(await json(await newest(), 'session_info.json')).toMatchObject({ line_items: false })
  expect(await readdir(join(zinc.dataDir, 'sync_sessions', await newest(), 'raw_json', (await newest()).slice(13)))).toEqual([
    'bills.json',
    'items.json',
  ])

  // The next pull fetches the details that are still owed, and nothing twice.
  expect((await pull({ modules: ['bills'] })).state).toBe('success')
  expect(books.counters.details).toEqual({ bills: 9 })
  expect((await rows(await newest(), 'bills.json')).every((it) => 'sub_total' in it)).toBe(true)

  // Since a moment before the watermark: everything modified since then, unchanged or not; no
  // detail again.
  const before = await watermark()
  const times = (await rows(await newest(), 'bills.json')).map((it) =>
    new Date(String(it.last_modified_time).replace(/(..)$/, ':$1')).getTime(),
  )
  const middle = [...times].sort((a, b) => a - b)[4]!
  await pull({ modules: ['bills'], since: new Date(middle).toISOString(), session: false })
  const stamps = (await readdir(join(zinc.dataDir, 'raw_json'))).filter((it) => !it.startsWith('.'))
  expect(stamps).toHaveLength(1)
  expect((await readdir(join(zinc.dataDir, 'raw_json', stamps[0]!))).sort()).toEqual([
    '.manifest.json',
    '.session_info.json',
    'bills.json',
    'bills_line_items.json',
  ])
  const since = JSON.parse(await readFile(join(zinc.dataDir, 'raw_json', stamps[0]!, 'bills.json'), 'utf8')) as object[]
  expect(since).toHaveLength(5)
  expect(books.counters.details).toEqual({ bills: 9 })
  expect(await watermark()).toEqual(before)

  // Since a moment after it: what lies between would be lost if the watermark moved.
  const [one, two] = books.ids('bills')
  books.edit('bills', one!, { notes: 'lies between' })
  zinc.zoho.advance(3_600_000)
  books.edit('bills', two!, { notes: 'later' })
  await pull({ modules: ['bills'], since: new Date(Date.now() + 1_800_000).toISOString() })
  expect((await rows(await newest(), 'bills.json')).map((it) => it.bill_id)).toEqual([two])
  expect(await watermark()).toEqual(before)
  await pull({ modules: ['bills'] })
  expect((await rows(await newest(), 'bills.json')).map((it) => it.bill_id).sort()).toEqual([one, two].sort())

  // Zoho Invoice has fewer modules, of its own.
  const invoice = await pull({ app: 'invoice', modules: ['contacts', 'creditnotes'] })
  expect(invoice.state).toBe('success')
  expect(await db.zohoRecord.count({ where: { app: 'invoice', module: 'creditnotes', detailed: true } })).toBe(7)
  await expect(zinc.services.pulls.start({ app: 'invoice', modules: ['bills'] }, { startedBy: 'test' })).rejects.toThrow('has no bills')
})

longTest('lists in no order are read whole, and changes during reading are not missed', async () => {
  const { zinc, books, pull, newest, rows } = await startPulls({ books: { ...SMALL, contacts: 450, customerpayments: 450 } })
  books.unsorted.add('contacts')
  books.unsortable.add('invoices')
  books.unsorted.add('bills')
  books.setPaymentsKey('customer_payments')
  // While page 2 of the payments is read, one of page 3 is edited: it moves to the front, where the
  // reader has been.
  const late = books.ids('customerpayments')[3]!
  let pages = 0
  zinc.zoho.beforePages(
    ...Array.from({ length: 12 }, () => () => void (++pages === 9 && books.edit('customerpayments', late, { payment_mode: 'edited' }))),
  )
  expect((await pull({ modules: ['contacts', 'customerpayments', 'invoices', 'bills'] })).state).toBe('success')
  const session = await newest()
  for (const [module, id, count] of [
    ['contacts', 'contact_id', 450],
    ['customerpayments', 'payment_id', 450],
    ['invoices', 'invoice_id', SMALL.invoices],
    ['bills', 'bill_id', 9],
  ] as const)
    expect([module, new Set((await rows(session, `${module}.json`)).map((it) => it[id])).size]).toEqual([module, count])
  expect(pages).toBeGreaterThanOrEqual(9)
  expect((await rows(session, 'customerpayments.json')).find((it) => it.payment_id === late)).toMatchObject({ payment_mode: 'edited' })
})
