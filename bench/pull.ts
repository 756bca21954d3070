import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { parseConfig } from '../src/config.ts'
import { migrate } from '../src/database/migrate.ts'
import { openServices } from '../src/services.ts'
import { environmentFor } from '../src/zoho-simulator/simulator.ts'
import { openBareZoho } from './bare-zoho.ts'

/**
 * One measurement in a process of its own: `zinc` or `bare`, `rows` or `details`, simulator's
 * address, database's address. Prints one line of JSON.
 */
const [who = '', what = '', zohoUrl = '', databaseUrl = ''] = process.argv.slice(2)
const log = pino({ level: 'silent' })
const dataDir = await mkdtemp(join(tmpdir(), 'zinc-bench-'))
const print = (figures: object) =>
  console.log(JSON.stringify({ who, what, ...figures, peak_mb: Math.round(process.resourceUsage().maxRSS / 1024) }))
const inSeconds = (began: number) => (performance.now() - began) / 1000

/**
 * The whole of zinc's pull: limiter, run, checkpoints, change detection, records, files with
 * hashes.
 */
async function zinc(): Promise<void> {
  const services = await openServices(
    parseConfig({
      DATA_DIR: dataDir,
      DATABASE_URL: databaseUrl,
      ...environmentFor(zohoUrl),
    }),
    log,
  )
  const pull = async (full: boolean) => {
    const began = performance.now()
    const { run_id } = await services.pulls.start({ modules: ['invoices'], full, line_items: what === 'details' }, { startedBy: 'bench' })
    const run = await services.runs.wait(run_id, new AbortController().signal)
    if (run.state !== 'success') throw new Error(run.cause ?? run.state)
    const { total = 0 } = run.statistics as Record<string, number>
    return { seconds: inSeconds(began), records: total, calls: await services.db.zohoCall.count({ where: { run_id } }) }
  }
  print({ first: await pull(true), full_again: await pull(true), incremental: await pull(false) })
  await services[Symbol.asyncDispose]()
}

interface Invoice {
  invoice_id: string
  last_modified_time: string
}

interface Page {
  invoices: Invoice[]
  page_context: { has_more_page: boolean }
}

/**
 * The floor: page (and fetch each document, four at a time), upsert a page per statement, write the
 * file; nothing else.
 */
async function bare(): Promise<void> {
  await migrate(databaseUrl, { log })
  const client = new pg.Client(databaseUrl)
  await client.connect()
  const began = performance.now()
  const zoho = await openBareZoho(zohoUrl)
  const file = await open(join(dataDir, 'invoices.json'), 'w')
  await file.write('[\n')
  let records = 0
  let from = ''
  for (let more = true, page = 1; more; ) {
    const order = { sort_column: 'last_modified_time', sort_order: 'A', per_page: '200', page: String(page) }
    const { invoices, page_context } = await zoho.get<Page>('/books/v3/invoices', { ...order, ...(from && { last_modified_time: from }) })
    let rows = invoices
    if (what === 'details') {
      rows = []
      for (let at = 0; at < invoices.length; at += 4)
        rows.push(
          ...(await Promise.all(
            invoices
              .slice(at, at + 4)
              .map(async (it) => (await zoho.get<{ invoice: Invoice }>(`/books/v3/invoices/${it.invoice_id}`)).invoice),
          )),
        )
    }
    await client.query(
      `insert into zoho_record (app, module, record_id, data, modified_at)
       select distinct on (it->>'invoice_id') 'books', 'invoices', it->>'invoice_id', it, (it->>'last_modified_time')::timestamptz from jsonb_array_elements($1::jsonb) as it
       on conflict (app, module, record_id) do update set data = excluded.data, modified_at = excluded.modified_at`,
      [JSON.stringify(rows)],
    )
    await file.write(rows.map((row) => JSON.stringify(row)).join(',\n'))
    records += rows.length
    const last = invoices.at(-1)?.last_modified_time ?? from
    page = last === from ? page + 1 : 1
    from = last
    more = page_context.has_more_page
  }
  await file.write('\n]\n')
  await file.sync()
  await file.close()
  print({ first: { seconds: inSeconds(began), records, calls: zoho.calls() } })
  await client.end()
}

await (who === 'zinc' ? zinc() : bare())
await rm(dataDir, { recursive: true })
process.exit(0)
