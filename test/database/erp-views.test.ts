import pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { grantReader, revokeReader } from '../../src/database/reader-role.ts'
import type { ProductsResponse } from '../../src/schemas/products.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

/** Columns may be added; one that goes or changes its type needs a schema erp_v2. */
const VIEWS: Record<string, Record<string, string>> = {
  product: {
    id: 'uuid',
    zoho_item_id: 'text',
    sku: 'text',
    name: 'text',
    name_en: 'text',
    name_ar: 'text',
    description: 'text',
    status: 'text',
    cost_price: 'numeric(24,6)',
    selling_price: 'numeric(24,6)',
    currency: 'text',
    stock_on_hand: 'numeric(24,6)',
    unit: 'text',
    brand: 'text',
    manufacturer: 'text',
    category: 'text',
    upc: 'text',
    ean: 'text',
    isbn: 'text',
    part_number: 'text',
    item_type: 'text',
    tax_percentage: 'numeric(24,6)',
    reorder_level: 'numeric(24,6)',
    group_id: 'text',
    group_name: 'text',
    attributes: 'jsonb',
    custom_fields: 'jsonb',
    image_url_path: 'text',
    created_at: 'timestamp(3) with time zone',
    updated_at: 'timestamp(3) with time zone',
    deleted_at: 'timestamp(3) with time zone',
    seq: 'bigint',
  },
  product_image: {
    id: 'uuid',
    product_id: 'uuid',
    sha256: 'text',
    filename: 'text',
    content_type: 'text',
    width: 'integer',
    height: 'integer',
    is_primary: 'boolean',
    sort_order: 'integer',
    alt_en: 'text',
    alt_ar: 'text',
    updated_at: 'timestamp(3) with time zone',
  },
  product_price: {
    product_id: 'uuid',
    price_list_id: 'text',
    price_list: 'text',
    currency: 'text',
    price: 'numeric(24,6)',
    brackets: 'jsonb',
  },
  product_stock: {
    product_id: 'uuid',
    location_id: 'text',
    location: 'text',
    on_hand: 'numeric(24,6)',
    available: 'numeric(24,6)',
    committed: 'numeric(24,6)',
    as_of: 'timestamp(3) with time zone',
  },
  product_group: { id: 'text', name: 'text', attributes: 'jsonb' },
  product_change: {
    seq: 'bigint',
    change: 'text',
    product_id: 'uuid',
    changed_fields: 'text[]',
    changed_at: 'timestamp(3) with time zone',
  },
  store: { id: 'uuid', code: 'text', name: 'text', location_id: 'text' },
}

let zinc: TestZinc
const owner = () => zinc.environment.DATABASE_URL!
/** Roles are the server's, not the database's, so that each test file has its own. */
const NAME = `reader_${process.pid}_${Date.now()}`

beforeAll(async () => {
  const opened = await openZinc({ synced: true })
  zinc = opened
  return opened.end
})

async function query<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query<T>(sql)).rows
  } finally {
    await client.end()
  }
}
const refusal = (url: string, sql: string) =>
  query(url, sql).then(
    () => null,
    (error: { code: string }) => error.code,
  )

test('every view has its columns with their types, and each has a comment', async () => {
  const rows = await query<{ view: string; name: string; type: string; comment: string | null; view_comment: string | null }>(
    owner(),
    `select c.relname as view, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, col_description(c.oid, a.attnum) as comment,
      obj_description(c.oid) as view_comment
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.relnamespace = 'erp'::regnamespace and c.relkind = 'v'`,
  )
  const columnsOf = (of: string) => Object.fromEntries(rows.flatMap(({ view, name, type }) => (view === of ? [[name, type]] : [])))
  for (const [view, columns] of Object.entries(VIEWS)) expect(columnsOf(view), view).toMatchObject(columns)
  expect(rows.filter((row) => !row.comment || !row.view_comment)).toEqual([])
})

test('a reader sees what the API says, and nothing else of the database', async () => {
  const { url } = await grantReader(owner(), NAME)
  const { data } = (await (await zinc.call('/api/products?limit=500')).json()) as ProductsResponse
  const rows = await query<Record<string, unknown>>(url, 'select * from product where deleted_at is null')
  const byId = new Map(rows.map((row) => [row.id, row]))
  expect(rows).toHaveLength(data.length)
  for (const product of data) {
    const row = byId.get(product.id)!
    expect(row).toMatchObject({ sku: product.sku, ean: product.ean, category: product.category?.name ?? null, seq: String(product.seq) })
    expect(Number(row.selling_price)).toBe(Number(product.selling_price))
    expect(row.image_url_path).toBe(product.image_path?.replace('images/item/', '/images/') ?? null)
  }
  expect(await query(url, 'select id from product_image')).toHaveLength(data.flatMap((product) => product.images).length)
  const [change] = await query<{ changed_fields: string[] }>(url, 'select * from product_change order by seq desc limit 1')
  expect(change!.changed_fields.length).toBeGreaterThan(0)

  const relations = await query<{ name: string; readable: boolean }>(
    owner(),
    `select format('%I.%I', n.nspname, c.relname) as name, has_table_privilege('${NAME}', c.oid, 'select, insert, update, delete') as readable
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'erp') and c.relkind in ('r', 'p', 'v', 'm', 'S')`,
  )
  expect(relations.length).toBeGreaterThan(40)
  expect(relations.filter(({ readable }) => readable)).toEqual([])
  expect(await refusal(url, 'select * from public.app_user')).toBe('42501')
  expect(await refusal(url, 'set search_path = public; select number_products(1)')).toMatch(/42501|25006/)
  expect(await refusal(url, "update product set sku = 'x'")).not.toBeNull()
  expect(await refusal(url, 'create table erp.mine (id int)')).not.toBeNull()
})

test('a reader is renewed with another password, removed, and no other role is touched', async () => {
  const first = await grantReader(owner(), NAME)
  const second = await grantReader(owner(), NAME)
  expect(await refusal(first.url, 'select 1')).toBe('28P01')
  expect(await refusal(second.url, 'select 1 from product')).toBeNull()
  const [{ user }] = (await query<{ user: string }>(owner(), 'select current_user as user')) as [{ user: string }]
  await expect(grantReader(owner(), user)).rejects.toMatchObject({ code: 'role_exists' })
  await expect(grantReader(owner(), 'Robert"; drop')).rejects.toMatchObject({ code: 'invalid_reader_name' })
  await expect(grantReader(owner(), 'zinc_app')).rejects.toMatchObject({ code: 'invalid_reader_name' })
  await revokeReader(owner(), NAME)
  expect(await refusal(second.url, 'select 1')).toBe('28P01')
  await expect(revokeReader(owner(), NAME)).rejects.toMatchObject({ code: 'reader_not_found' })
  const audit = await zinc.services.db.auditEntry.findMany({ where: { target: `reader:${NAME}` } })
  expect(new Set(audit.map(({ action }) => action))).toEqual(new Set(['reader.grant', 'reader.revoke']))
})
