import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet'
import { expect } from 'vitest'
import { exportToFile } from '../../src/pulls/files/export.ts'
import { runZinc } from '../helpers/cli.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'
import { startPulls } from './helpers.ts'

type Rows = Record<string, unknown>[]

/** Types by column, and rows; a DECIMAL as its text, since the reader itself would round it. */
async function readParquet(path: string) {
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file)
  const columns = parquetSchema(metadata).children.map(({ element }) => element)
  const types = Object.fromEntries(
    columns.map(({ name, converted_type, type, logical_type, scale }) => [
      name,
      converted_type === 'DECIMAL'
        ? `DECIMAL(38,${scale})`
        : logical_type?.type === 'TIMESTAMP'
          ? `TIMESTAMP ${logical_type.isAdjustedToUTC ? 'UTC' : ''}`
          : (converted_type ?? type),
    ]),
  )
  const scales = new Map(columns.flatMap((it) => (it.converted_type === 'DECIMAL' ? [[it.name, it.scale ?? 0] as const] : [])))
  for (const element of metadata.schema)
    if (element.converted_type === 'DECIMAL') {
      delete element.converted_type
      delete element.logical_type
    }
  const rows = (await parquetReadObjects({ file, metadata, utf8: false })) as Rows
  for (const row of rows) for (const [name, scale] of scales) if (row[name] instanceof Uint8Array) row[name] = decimalOf(row[name], scale)
  return { types, rows }
}
function decimalOf(bytes: Uint8Array, scale: number): string {
  const digits = BigInt.asIntN(128, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0')
  return `${digits < 0n ? '-' : ''}${text.slice(0, -scale)}.${text.slice(-scale)}`
}
/** Exact, as PostgreSQL writes a numeric without trailing zeros. */
const plain = (decimal: string) => decimal.replace(/\.?0+$/, '')

longTest('Parquet has ids as text, exact DECIMALs and UTC times; sums per currency are SQL’s and verify’s', async () => {
  const shop = await startPulls({ books: { invoices: 40 } })
  const { zinc } = shop
  const { db } = zinc.services
  await shop.pull({ modules: ['invoices'] })
  const report = await shop.check({ modules: ['invoices'] })
  const path = join(zinc.dataDir, 'invoices.parquet')
  expect(await exportToFile(db, { app: 'books', module: 'invoices', lineItems: false }, 'parquet', path)).toBe(40)
  const { types, rows } = await readParquet(path)
  expect(types).toMatchObject({
    invoice_id: 'UTF8',
    customer_id: 'UTF8',
    total: 'DECIMAL(38,8)',
    date: 'DATE',
    last_modified_time: 'TIMESTAMP UTC',
    currency_code: 'UTF8',
  })
  const stored = await db.zohoRecord.findMany({ where: { module: 'invoices' }, orderBy: { record_id: 'asc' } })
  expect(rows.map((row) => row.invoice_id)).toEqual(stored.map(({ record_id }) => record_id))
  expect(rows.map((row) => (row.last_modified_time as Date).getTime())).toEqual(stored.map(({ modified_at }) => modified_at!.getTime()))

  const sums = await db.$queryRaw<{ currency: string; sum: string }[]>`
    select data ->> 'currency_code' as currency, trim_scale(sum((data ->> 'total')::numeric))::text as sum
    from zoho_record where module = 'invoices' group by 1 order by 1`
  const found = new Map<string, bigint>()
  for (const row of rows) {
    const currency = String(row.currency_code)
    found.set(currency, (found.get(currency) ?? 0n) + BigInt(String(row.total).replace('.', '')))
  }
  const exported = [...found].map(([currency, sum]) => {
    const text = String(sum).padStart(9, '0')
    return { currency, sum: plain(`${text.slice(0, -8)}.${text.slice(-8)}`) }
  })
  expect(exported.sort((a, b) => (a.currency < b.currency ? -1 : 1))).toEqual(sums)
  const verified = report.modules[0]!.totals.map(({ currency, files }) => ({ currency, sum: plain(files) }))
  expect(verified.sort((a, b) => (a.currency < b.currency ? -1 : 1))).toEqual(sums)

  const lines = join(zinc.dataDir, 'lines.parquet')
  const count = await exportToFile(db, { app: 'books', module: 'invoices', lineItems: true }, 'parquet', lines)
  const ofLines = await readParquet(lines)
  expect(ofLines.rows).toHaveLength(count)
  expect(ofLines.types).toMatchObject({ invoice_id: 'UTF8', line_item_id: 'UTF8', item_total: 'DECIMAL(38,8)' })
  expect(new Set(ofLines.rows.map((row) => row.invoice_id))).toEqual(new Set(rows.map((row) => row.invoice_id)))

  // What no number of JavaScript holds, keys that only one record has, and values of several types.
  const raws = [
    '{"x_id":9007199254740993,"amount":123456789012345678.12345678,"at":"2026-11-30T10:15:00+0300","tags":["a"],"mixed":1,"yes":true}',
    '{"x_id":"007","amount":-0.1,"at":"","mixed":"one","note":"line\\nbreak","yes":false}',
    '{\n "x_id": "8",\n "amount": 1e-10,\n "yes": ""\n}',
  ]
  for (const [n, raw] of raws.entries())
    await db.zohoRecord.create({ data: { app: 'crm', module: 'Odd', record_id: String(n), data: JSON.parse(raw), raw } })
  await exportToFile(db, { app: 'crm', module: 'Odd', lineItems: false }, 'parquet', path)
  const odd = await readParquet(path)
  expect(odd.types).toMatchObject({
    x_id: 'UTF8',
    amount: 'DECIMAL(38,10)',
    at: 'TIMESTAMP UTC',
    tags: 'UTF8',
    mixed: 'UTF8',
    yes: 'BOOLEAN',
  })
  expect(odd.rows).toMatchObject([
    {
      x_id: '9007199254740993',
      amount: '123456789012345678.1234567800',
      at: new Date('2026-11-30T07:15:00Z'),
      tags: '["a"]',
      mixed: '1',
      yes: true,
      note: null,
    },
    { x_id: '007', amount: '-0.1000000000', at: null, mixed: 'one', note: 'line\nbreak', yes: false },
    { x_id: '8', amount: '0.0000000001', yes: null },
  ])

  const get = async (module: string, format: string) => {
    const response = await zinc.call(`/api/zoho/${module}/export?format=${format}`)
    expect(response.status).toBe(200)
    return { type: response.headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()) }
  }
  const ndjson = await get('crm/Odd', 'ndjson')
  expect(ndjson.type).toContain('application/x-ndjson')
  const written = ndjson.bytes.toString('utf8').trimEnd().split('\n')
  expect(written.map((line) => JSON.parse(line))).toEqual(raws.map((raw) => JSON.parse(raw)))
  expect(written[0]).toBe(raws[0])
  expect((await get('crm/Odd', 'csv')).bytes.toString('utf8').split('\r\n').slice(0, 2)).toEqual([
    '\uFEFFx_id,amount,at,tags,mixed,yes,note',
    '9007199254740993,123456789012345678.12345678,2026-11-30T10:15:00+0300,"[""a""]",1,true,',
  ])
  expect(JSON.parse((await get('books/invoices_line_items', 'json')).bytes.toString('utf8'))).toHaveLength(count)
  const parquet = await get('books/invoices', 'parquet')
  await writeFile(path, parquet.bytes)
  expect((await readParquet(path)).rows).toHaveLength(40)
  expect((await zinc.call('/api/zoho/books/nothing/export')).status).toBe(404)

  const file = join(zinc.dataDir, 'out.parquet')
  const done = await runZinc(['export', 'invoices', '--format', 'parquet', '-o', file], zinc.environment)
  expect([done.status, done.stdout]).toEqual([
    0,
    expect.stringContaining(`${count} records written to ${file.replace('.parquet', '.line_items.parquet')}`),
  ])
  expect((await readParquet(file)).rows).toHaveLength(40)
  expect((await readParquet(file.replace('.parquet', '.line_items.parquet'))).rows).toEqual(ofLines.rows)
  expect((await runZinc(['export', 'invoices', '--format', 'parquet'], zinc.environment)).status).toBe(2)
  expect((await runZinc(['export', 'invoices', '--format', 'ndjson'], zinc.environment)).stdout.trimEnd().split('\n')).toHaveLength(40)
})

longTest('100,000 records become Parquet in less than 300 MB', async () => {
  const zinc = await startZinc({ synced: true })
  const { db } = zinc.services
  await db.$executeRaw`
    insert into zoho_record (app, module, record_id, data, raw)
    select 'books', 'invoices', n::text, data, data::text from (
      select n, jsonb_build_object('invoice_id', n::text, 'customer_name', 'Customer ' || n, 'total', (n * 1.25)::numeric(12, 2),
        'currency_code', case n % 3 when 0 then 'USD' else 'IQD' end, 'last_modified_time', '2026-11-30T10:15:00+0300', 'notes', repeat('x', 400),
        'line_items', jsonb_build_array(jsonb_build_object('line_item_id', n::text, 'item_total', n * 1.25), jsonb_build_object('line_item_id', n || 'b', 'item_total', 0))) as data
      from generate_series(1, 100000) n) as rows`
  await db.pullModule.upsert({
    where: { app_module: { app: 'books', module: 'invoices' } },
    create: { app: 'books', module: 'invoices' },
    update: {},
  })
  const file = join(zinc.dataDir, 'all.parquet')
  const done = await runZinc(['export', 'invoices', '--format', 'parquet', '-o', file], {
    ...zinc.environment,
    NODE_OPTIONS: `--import ${join(import.meta.dirname, '../helpers/report-peak-memory.js')}`,
  })
  expect(done.status).toBe(0)
  expect(Number(/peak (\d+) MB/.exec(done.stderr)?.[1])).toBeLessThan(300)
  expect((await readFile(file)).subarray(0, 4).toString()).toBe('PAR1')
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(file))
  expect(metadata.num_rows).toBe(100_000n)
  expect((await parquetMetadataAsync(await asyncBufferFromFile(file.replace('.parquet', '.line_items.parquet')))).num_rows).toBe(200_000n)
})
