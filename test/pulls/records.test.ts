import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/database/client.ts'
import { sanitizeForJsonb } from '../../src/lib/jsonb.ts'
import { listRecords } from '../../src/pulls/records/query.ts'
import { searchText } from '../../src/pulls/records/search-text.ts'
import { markDeleted, type RecordRow, upsertRecords } from '../../src/pulls/records/upsert.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { times } from '../helpers/long.ts'

const scope = { app: 'books', module: 'invoices' } as const
const at = new Date('2026-03-01T00:00:00Z')

async function openTestDatabase() {
  const database = await createTestDatabase()
  const db = openDatabase(database.url)
  onTestFinished(async () => {
    await db.$disconnect()
    await database.drop()
  })
  return db
}

const row = (id: string, raw: string, modified: string | null = '2026-02-01T00:00:00Z', search = id): RecordRow => ({
  record_id: id,
  raw,
  modified_at: modified === null ? null : new Date(modified),
  search,
})

test("records keep Zoho's digits and bytes; equal ones are not written, deleted ones return", async () => {
  const db = await openTestDatabase()
  const raw = String.raw`{"z":1.50,"a":460000000000100001,"n":1e3,"t":"\u0000 \ud83d \ud83d\ude00 \\u0000 \\\u0000","name":"سماعة"}`
  const options = { runId: null, at }
  expect(await upsertRecords(db, scope, [row('1', raw), row('2', '{"b":2}')], options)).toEqual({
    new: 2,
    updated: 0,
    unchanged: 0,
    restored: 0,
  })
  expect(await upsertRecords(db, scope, [row('1', raw), row('2', '{"b":2.0}')], options)).toMatchObject({ new: 0, unchanged: 2 })
  const [first] = await listRecords(db, scope, { limit: 10 })
  expect(first?.raw).toBe(raw)
  const [sums] = await db.$queryRaw<
    { z: string; a: string; t: string }[]
  >`select data->>'z' as z, data->>'a' as a, data->>'t' as t from zoho_record where record_id = '1'`
  expect(sums).toEqual({ z: '1.50', a: '460000000000100001', t: '\ufffd \ufffd 😀 \\u0000 \\\ufffd' })

  expect(await markDeleted(db, scope, ['2', '3'], { runId: null, at })).toBe(1)
  expect((await listRecords(db, scope, { limit: 10 })).map((it) => it.record_id)).toEqual(['1'])
  expect((await listRecords(db, scope, { includeDeleted: true, limit: 10 })).length).toBe(2)
  expect(await upsertRecords(db, scope, [row('2', '{"b":2}')], options)).toEqual({ new: 0, updated: 1, unchanged: 0, restored: 1 })
  // Another module is another place.
  expect(await listRecords(db, { app: 'crm', module: 'invoices' }, { limit: 10 })).toEqual([])
})

test('a module is read page by page in the order of modification, by search and since a moment', async () => {
  const db = await openTestDatabase()
  const rows = Array.from({ length: 500 }, (_, n) =>
    row(`id${n}`, `{"n":${n}}`, n < 5 ? null : new Date(Date.UTC(2026, 0, 1, 0, 0, Math.floor(n / 7))).toISOString(), `inv-${n} 50%_off`),
  )
  await upsertRecords(db, scope, rows, { runId: null, at })
  const seen: string[] = []
  let after: { modified_at: Date | null; record_id: string } | undefined
  for (;;) {
    const page = await listRecords(db, scope, { limit: 70, after })
    seen.push(...page.map((it) => it.record_id))
    after = page.at(-1)
    if (page.length < 70) break
  }
  expect([...seen].sort()).toEqual(rows.map((it) => it.record_id).sort())
  expect((await listRecords(db, scope, { search: 'INV-49', limit: 100 })).length).toBe(11)
  expect((await listRecords(db, scope, { search: '0%_o', limit: 1000 })).length).toBe(500)
  expect((await listRecords(db, scope, { search: '0%_x', limit: 1000 })).length).toBe(0)
  const since = rows[490]!.modified_at!
  const recent = await listRecords(db, scope, { modifiedSince: since, limit: 1000 })
  expect(recent.filter((it) => it.modified_at === null).length).toBe(5)
  expect(recent.length).toBe(rows.filter((it) => it.modified_at === null || it.modified_at >= since).length)
})

test('only what jsonb refuses is replaced', () => {
  const fine = String.raw`{"a":"\ud83d\ude00 \\ud83d plain"}`
  expect(sanitizeForJsonb(fine)).toBe(fine)
  expect(sanitizeForJsonb('{"a":"\ud83d"}')).toBe('{"a":"\ufffd"}')
  const escaped = (text: string) => text.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  fc.assert(
    fc.property(fc.array(fc.constantFrom('\0', '\ud83d', '\ude00', '\\', '"', 'u0000', 'a')), (parts) => {
      const text = parts.join('')
      const storable = text.toWellFormed().replaceAll('\0', '\ufffd')
      for (const raw of [JSON.stringify(text), `"${escaped(text)}"`]) expect(JSON.parse(sanitizeForJsonb(raw))).toBe(storable)
    }),
    { numRuns: times(500, 10_000) },
  )
})

test('records are found by names, numbers, mail, SKU, and names of what they refer to', () => {
  const text = searchText({
    invoice_number: 'INV-001',
    customer_name: 'Zaïn',
    total: 5,
    email: 'A@B.c',
    tax_name: 'VAT',
    cf_branch: 'Basra',
    Account_Name: { name: 'Orbit', id: '1' },
  })
  expect(text.split('\n')).toEqual(['inv-001', 'zaïn', 'a@b.c', 'basra', 'orbit'])
})
