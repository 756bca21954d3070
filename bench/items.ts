import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { parseConfig } from '../src/config.ts'
import { migrate } from '../src/database/migrate.ts'
import { openServices } from '../src/services.ts'
import { itemSyncResult } from '../src/sync/items/item-sync-result.ts'
import { ITEM_SYNC } from '../src/sync/items/item-sync-run.ts'
import { environmentFor } from '../src/zoho-simulator/simulator.ts'
import { openBareZoho } from './bare-zoho.ts'

/**
 * One measurement in a process of its own: `zinc` or `bare`, simulator's address, database's
 * address. Prints one line of JSON.
 */
const [who = '', zohoUrl = '', databaseUrl = ''] = process.argv.slice(2)
const log = pino({ level: 'silent' })
const print = (figures: object) =>
  console.log(JSON.stringify({ who, ...figures, peak_mb: Math.round(process.resourceUsage().maxRSS / 1024) }))

/** Ticks of the system's clock of processor time, in seconds. */
const TICK_SECONDS = 0.01

/**
 * Processor time of this process and of the database's connections so far: on a busy machine it
 * tells more than the time that passed. Linux only.
 */
async function cpu(): Promise<{ own: number; database: number }> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  const { rows } = await client.query<{ pid: number }>(
    'select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  )
  await client.end()
  let ticks = 0
  for (const { pid } of rows) {
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).split(') ')[1]?.split(' ') ?? []
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  }
  const { user, system } = process.cpuUsage()
  return { own: (user + system) / 1e6, database: ticks * TICK_SECONDS }
}

/** How much of both since `before`. */
async function cpuSince(before: { own: number; database: number }) {
  const now = await cpu()
  return { cpu: now.own - before.own, database_cpu: now.database - before.database }
}

/** The whole of zinc's item sync: limiter, runs, checkpoints, lenient reading, change detection. */
async function zinc(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'zinc-bench-'))
  const config = parseConfig({
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    ...environmentFor(zohoUrl),
  })
  const services = await openServices(config, log)
  const sync = async (mode: string) => {
    const before = await cpu()
    const began = performance.now()
    const { run_id } = await services.runs.start(ITEM_SYNC, { mode }, { startedBy: 'bench' })
    const run = await services.runs.wait(run_id, new AbortController().signal)
    const { statistics } = await itemSyncResult(services.db, run)
    const seconds = (performance.now() - began) / 1000
    return {
      seconds,
      ...(await cpuSince(before)),
      items: statistics.total ?? 0,
      calls: statistics.api_calls,
      written: (statistics.new ?? 0) + (statistics.updated ?? 0),
    }
  }
  print({ first: await sync('full'), full_again: await sync('full'), incremental: await sync('incremental') })
  await services[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true })
}

interface Page {
  items: { last_modified_time: string }[]
  page_context: { has_more_page: boolean }
}

/** The floor: page by keyset, upsert a page per statement, nothing else. */
async function bare(): Promise<void> {
  await migrate(databaseUrl, { log })
  const client = new pg.Client(databaseUrl)
  await client.connect()
  const before = await cpu()
  const began = performance.now()
  const zoho = await openBareZoho(zohoUrl)
  let from = ''
  let items = 0
  for (let more = true; more; ) {
    const order = { sort_column: 'last_modified_time', sort_order: 'A', per_page: '200' }
    const page = await zoho.get<Page>('/inventory/v1/items', { ...order, ...(from && { last_modified_time: from }) })
    await client.query(
      `insert into product (zoho_item_id, sku, name, selling_price, zoho_modified_at)
       select item_id, sku, name, rate, last_modified_time::timestamptz from jsonb_to_recordset($1) as t(item_id text, sku text, name text, rate numeric, last_modified_time text)
       on conflict (zoho_item_id) do update set sku = excluded.sku, name = excluded.name, selling_price = excluded.selling_price, zoho_modified_at = excluded.zoho_modified_at`,
      [JSON.stringify(page.items)],
    )
    items += page.items.length
    from = page.items.at(-1)?.last_modified_time ?? from
    more = page.page_context.has_more_page
  }
  const seconds = (performance.now() - began) / 1000
  print({ first: { seconds, ...(await cpuSince(before)), items, calls: zoho.calls() } })
  await client.end()
}

await (who === 'zinc' ? zinc() : bare())
process.exit(0)
