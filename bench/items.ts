import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { parseConfig } from '../src/config.ts'
import { migrate } from '../src/database/migrate.ts'
import { openServices } from '../src/services.ts'
import { environmentFor } from '../src/simulator/zoho.ts'
import { ITEM_SYNC } from '../src/sync/item-sync.ts'
import { itemSyncResult } from '../src/sync/result.ts'
import { openBareZoho } from './bare-zoho.ts'

/** One measurement in a process of its own: `zinc` or `bare`, simulator's address, database's address. Prints one line of JSON. */
const [who = '', zohoUrl = '', databaseUrl = ''] = process.argv.slice(2)
const log = pino({ level: 'silent' })
const print = (figures: object) =>
  console.log(JSON.stringify({ who, ...figures, peak_mb: Math.round(process.resourceUsage().maxRSS / 1024) }))

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
    const began = performance.now()
    const { run_id } = await services.runs.start(ITEM_SYNC, { mode }, { startedBy: 'bench' })
    const run = await services.runs.wait(run_id, new AbortController().signal)
    const { statistics } = await itemSyncResult(services.db, run)
    return {
      seconds: (performance.now() - began) / 1000,
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
  print({ first: { seconds: (performance.now() - began) / 1000, items, calls: zoho.calls() } })
  await client.end()
}

await (who === 'zinc' ? zinc() : bare())
process.exit(0)
