import type { Db, RawDb } from '../database/client.ts'

/**
 * Saves the rows of items as they were received, separate from the products; an equal one is not
 * written.
 */
export async function saveRawItems(tx: RawDb, items: { item_id: string; raw?: string }[]): Promise<void> {
  const known = items.flatMap(({ item_id, raw }) => (raw === undefined ? [] : [{ item_id, raw }]))
  if (known.length === 0) return
  await tx.$executeRaw`
    insert into product_raw as r (product_id, raw)
    select p.id, t.raw from unnest(${known.map((item) => item.item_id)}::text[], ${known.map((item) => item.raw)}::text[]) as t (zoho_item_id, raw)
      join product p on p.zoho_item_id = t.zoho_item_id left join product_raw held on held.product_id = p.id
    where held.raw is distinct from t.raw
    on conflict (product_id) do update set raw = excluded.raw`
}

/**
 * Returns Zoho's rows of these products, by product; a product that Zoho does not know has none.
 */
export async function readRawItems(db: Db, productIds: string[]): Promise<Map<string, string>> {
  const rows = await db.productRaw.findMany({ where: { product_id: { in: productIds } } })
  return new Map(rows.map(({ product_id, raw }) => [product_id, raw]))
}
