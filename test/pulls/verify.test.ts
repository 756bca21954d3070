import { rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { type Row, SMALL, startPulls } from './helpers.ts'

test('a complete session verifies, and every kind of difference is found and named', async () => {
  const { zinc, pull, check, newest, tamper, rows } = await startPulls()
  await pull()
  const session = await newest()
  const whole = await check()
  expect(whole.modules.flatMap((it) => it.problems)).toEqual([])
  expect(whole).toMatchObject({ ok: true, session, quick: false })
  expect(whole.api_calls).toBe(10) // one a page
  const invoices = whole.modules.find((it) => it.module === 'invoices')!
  expect(invoices).toMatchObject({
    records: SMALL.invoices,
    api_records: SMALL.invoices,
    line_items: { checked: SMALL.invoices, wrong: { count: 0 } },
  })
  expect(invoices.totals.map((it) => it.currency)).toEqual(['EUR', 'IQD', 'USD'])
  expect(invoices.totals.every((it) => it.ok && it.files === it.api && /^\d+\.\d\d$/.test(it.files))).toBe(true)

  const calls = zinc.zoho.meter.calls
  expect(await check({ quick: true })).toMatchObject({ ok: true, quick: true, api_calls: 0 })
  expect(zinc.zoho.meter.calls).toBe(calls)

  // Removed, altered, added, twice; a wrong sum in the lines; a payment, a contact.
  const before = await rows(session, 'invoices.json')
  const [removed, altered, doubled, wrongSum] = before.map((it) => it.invoice_id as string)
  const added = '460000000099999999'
  await tamper(session, 'invoices.json', (all) => [
    ...all.filter((it) => it.invoice_id !== removed).map((it): Row => (it.invoice_id === altered ? { ...it, total: 1 } : it)),
    all.find((it) => it.invoice_id === doubled)!,
    { ...all[9]!, invoice_id: added },
  ])
  await tamper(session, 'invoices_line_items.json', (all) => {
    const first = all.findIndex((it) => it.invoice_id === wrongSum)
    return all.map((it, n): Row => (n === first ? { ...it, item_total: 0.5 } : it))
  })
  const payment = (await rows(session, 'customerpayments.json'))[2]!.payment_id
  await tamper(session, 'customerpayments.json', (all) =>
    all.map((it): Row => (it.payment_id === payment ? { ...it, amount: 123456.78 } : it)),
  )
  const contact = (await rows(session, 'contacts.json'))[5]!.contact_id
  await tamper(session, 'contacts.json', (all) =>
    all.map((it): Row => (it.contact_id === contact ? { ...it, contact_name: 'somebody else' } : it)),
  )

  // The tool that wrote them laid every record out anew; only what means something else counts as
  // altered.
  for (const quick of [true, false]) {
    const report = await check({ quick })
    expect(report.ok).toBe(false)
    expect(report.modules.filter((it) => !it.ok).map((it) => it.module)).toEqual(['invoices', 'contacts', 'customerpayments'])
    const of = (module: string) => report.modules.find((it) => it.module === module)!
    const found = of('invoices')
    expect(found.missing).toEqual({ count: 1, ids: [removed] })
    expect(found.extra).toEqual({ count: 1, ids: [added] })
    expect(found.duplicates).toEqual({ count: 1, ids: [doubled] })
    expect(found.line_items!.wrong.documents.map((it) => it.id)).toEqual([altered, wrongSum, added].sort())
    // The third invoice has a number of 19 digits, which the tool has rounded.
    expect(found.altered).toEqual({ count: 3, ids: [altered, doubled, wrongSum] })
    expect(found.files.map((it) => it.ok)).toEqual([false, false, false])
    expect(of('customerpayments').altered).toEqual({ count: 1, ids: [payment] })
    expect(of('contacts').altered).toEqual({ count: 1, ids: [contact] })
    if (!quick) {
      expect(found.totals.some((it) => !it.ok)).toBe(true)
      expect(of('customerpayments').totals.filter((it) => !it.ok).length).toBe(1)
    }
  }
})

longTest('a repair fetches just what differs, and the files are then what was pulled, to the byte', async () => {
  const { zinc, books, pull, check, newest, rows, rawPath } = await startPulls()
  const { readFile } = await import('node:fs/promises')
  await pull()
  const session = await newest()
  const path = await rawPath(session, 'invoices.json')
  const linesPath = await rawPath(session, 'invoices_line_items.json')
  const text = await readFile(path, 'utf8')
  const lines = await readFile(linesPath, 'utf8')
  const contacts = await readFile(await rawPath(session, 'contacts.json'), 'utf8')
  const records = text.split('\n')
  const id = (record: string) => /"invoice_id":"(\d+)"/.exec(record)![1]!
  const [removed, altered, wrongSum] = [records[1]!, records[2]!, records[3]!].map(id)

  // By lines of text, so that nothing but these differs.
  const added = records[9]!.replaceAll(id(records[9]!), '460000000099999999')
  await writeFile(
    path,
    [records[0], records[2]!.replace(/"total":[\d.]+/, '"total":1.00'), added, ...records.slice(3)]
      .join('\n')
      .replace(`${added}\n`, `${added.endsWith(',') ? added : `${added},`}\n`),
  )
  await writeFile(linesPath, lines.replace(new RegExp(`("invoice_id":"${wrongSum}".*?"item_total":)[\\d.]+`), '$10.50'))
  const contactId = /"contact_id":"(\d+)"/.exec(contacts)![1]!
  await writeFile(await rawPath(session, 'contacts.json'), contacts.replace('"contact_name":"', '"contact_name":"X'))

  books.counters.detailIds.splice(0)
  const listsBefore = structuredClone(books.counters.lists)
  const repaired = await check({}, { repair: true })
  expect(repaired.modules.flatMap((it) => it.problems)).toEqual([])
  expect(repaired).toMatchObject({ ok: true, repair: true })
  // Details of the three, and of the added one to be sure that Zoho has no such; lists as a check
  // reads them, once.
  expect([...books.counters.detailIds].sort()).toEqual([removed, altered, wrongSum, '460000000099999999'].sort())
  expect(books.counters.lists.invoices! - listsBefore.invoices!).toBe(1)
  expect(repaired.modules.find((it) => it.module === 'invoices')!.repaired).toEqual({ fetched: 3, removed: 1, files: 1 })
  expect(repaired.modules.find((it) => it.module === 'contacts')!.repaired).toEqual({ fetched: 1, removed: 0, files: 1 })
  expect(contactId).not.toBe('')

  // The same records; those that were mended stand last.
  const body = (file: string) =>
    file
      .trim()
      .split('\n')
      .slice(1, -1)
      .map((line) => line.replace(/,$/, ''))
      .sort()
  expect(body(await readFile(path, 'utf8'))).toEqual(body(text))
  expect(body(await readFile(linesPath, 'utf8'))).toEqual(body(lines))
  expect(body(await readFile(await rawPath(session, 'contacts.json'), 'utf8'))).toEqual(body(contacts))
  expect(await check()).toMatchObject({ ok: true })
  expect((await rows(session, 'invoices.json')).length).toBe(SMALL.invoices)

  // Files that are cut, gone, or of a module that was never there.
  await truncate(await rawPath(session, 'salesorders.json'), 2_000)
  await rm(await rawPath(session, 'bills_line_items.json'))
  await rm(await rawPath(session, 'items.json'))
  const quick = await check({ quick: true })
  expect(
    quick.modules.filter((it) => !it.ok).map((it) => [it.module, it.files.filter((file) => !file.ok).map((file) => file.problem)]),
  ).toEqual([
    ['items', ['the file is missing']],
    ['bills', ['the file is missing']],
    ['salesorders', ['the file is cut off', expect.stringContaining('have no document')]],
  ])
  expect(await check({}, { repair: true })).toMatchObject({ ok: true })
  expect(await check({ session })).toMatchObject({ ok: true })

  // What Zoho changed since is told apart from damage, and a repair brings it; what Zoho removed
  // goes from every file of the chain.
  books.edit('invoices', wrongSum!, { reference_number: 'newer' })
  await pull()
  books.edit('bills', books.ids('bills')[1]!, { reference_number: 'newer' })
  books.remove('invoices', wrongSum!)
  const stale = await check()
  expect(stale.modules.filter((it) => !it.ok).map((it) => [it.module, it.stale.count, it.extra.count, it.altered.count])).toEqual([
    ['invoices', 0, 1, 0],
    ['bills', 1, 0, 0],
  ])
  expect(await check({}, { repair: true })).toMatchObject({ ok: true })
  expect(await zinc.services.db.zohoRecord.count({ where: { module: 'invoices', deleted_at: null } })).toBe(SMALL.invoices - 1)

  // Many at once are restored from the database, which has them in the same version: no call for
  // each.
  await writeFile(path, '[]')
  books.counters.detailIds.splice(0)
  expect(await check({ modules: ['invoices'] }, { repair: true })).toMatchObject({ ok: true })
  expect(books.counters.detailIds).toEqual([])
  expect(await check()).toMatchObject({ ok: true })
})

longTest("a module never pulled, or empty against Zoho's records, is a finding", async () => {
  const { zinc, pull, check, newest } = await startPulls()
  await pull({ modules: ['bills'] })
  const report = await check()
  expect(report.modules.find((it) => it.module === 'bills')).toMatchObject({ ok: true })
  expect(report.modules.find((it) => it.module === 'invoices')!.problems[0]).toBe('there is no file for invoices')
  expect(await check({ quick: true })).toMatchObject({ ok: true })
  const session = await newest()
  const folder = join(zinc.dataDir, 'sync_sessions', session, 'raw_json', session.slice('sync_session_'.length))
  expect(await check({ directory: folder })).toMatchObject({ ok: true, session })
  const { cp, mkdtemp } = await import('node:fs/promises')
  const elsewhere = join(await mkdtemp(join(zinc.dataDir, 'copy-')), session.slice('sync_session_'.length))
  await cp(folder, elsewhere, { recursive: true })
  expect(await check({ directory: elsewhere })).toMatchObject({ ok: true, session: null })
  await writeFile(join(elsewhere, 'bills.json'), '[]')
  expect((await check({ directory: elsewhere })).modules[0]!.problems[0]).toMatch(/are empty|missing|have no document/)
  expect(await check({ session })).toMatchObject({ ok: true })
})
