import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { parseConfig } from '../src/config.ts'
import { migrate } from '../src/database/migrate.ts'
import { openServices } from '../src/services.ts'
import { FAKE_CREDENTIALS } from '../src/simulator/zoho.ts'
import { ITEM_SYNC } from '../src/sync/item-sync.ts'
import { itemSyncResult } from '../src/sync/result.ts'

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
    ZOHO_CLIENT_ID: FAKE_CREDENTIALS.clientId,
    ZOHO_CLIENT_SECRET: FAKE_CREDENTIALS.clientSecret,
    ZOHO_REFRESH_TOKEN: FAKE_CREDENTIALS.refreshToken,
    ZOHO_ORGANIZATION_ID: FAKE_CREDENTIALS.organizationId,
    ZOHO_ACCOUNTS_URL: zohoUrl,
    ZOHO_API_URL: zohoUrl,
    ZOHO_REQUESTS_PER_MINUTE: '0',
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

/** The floor: page by keyset, upsert a page per statement, nothing else. */
async function bare(): Promise<void> {
  await migrate(databaseUrl, { log })
  const client = new pg.Client(databaseUrl)
  await client.connect()
  const began = performance.now()
  const form = {
    grant_type: 'refresh_token',
    client_id: FAKE_CREDENTIALS.clientId,
    client_secret: FAKE_CREDENTIALS.clientSecret,
    refresh_token: FAKE_CREDENTIALS.refreshToken,
  }
  const { access_token } = (await (
    await fetch(`${zohoUrl}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) })
  ).json()) as { access_token: string }
  let from = ''
  let items = 0
  let calls = 0
  for (let more = true; more; ) {
    const query = new URLSearchParams({
      organization_id: FAKE_CREDENTIALS.organizationId,
      sort_column: 'last_modified_time',
      sort_order: 'A',
      per_page: '200',
      ...(from && { last_modified_time: from }),
    })
    const page = (await (
      await fetch(`${zohoUrl}/inventory/v1/items?${query}`, { headers: { authorization: `Zoho-oauthtoken ${access_token}` } })
    ).json()) as { items: { last_modified_time: string }[]; page_context: { has_more_page: boolean } }
    await client.query(
      `insert into product (zoho_item_id, sku, name, selling_price, zoho_modified_at)
       select item_id, sku, name, rate, last_modified_time::timestamptz from jsonb_to_recordset($1) as t(item_id text, sku text, name text, rate numeric, last_modified_time text)
       on conflict (zoho_item_id) do update set sku = excluded.sku, name = excluded.name, selling_price = excluded.selling_price, zoho_modified_at = excluded.zoho_modified_at`,
      [JSON.stringify(page.items)],
    )
    items += page.items.length
    calls++
    from = page.items.at(-1)?.last_modified_time ?? from
    more = page.page_context.has_more_page
  }
  print({ first: { seconds: (performance.now() - began) / 1000, items, calls } })
  await client.end()
}

await (who === 'zinc' ? zinc() : bare())
process.exit(0)
