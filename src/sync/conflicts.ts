import type { RunContext } from '../jobs/run-handler.ts'

/** Reports items that share one SKU: both stay products, both are named, and a pair that was reported before is not new. Answers how many SKUs are new. */
export async function reportSkuConflicts(run: RunContext): Promise<number> {
  return run.fenced(async (tx) => {
    const shared = await tx.$queryRaw<{ id: string; zoho_item_id: string | null; sku: string; ids: string[] }[]>`
      select p.id, p.zoho_item_id, p.sku, d.ids
      from product p
      join (select sku, array_agg(coalesce(zoho_item_id, id::text) order by zoho_item_id) as ids from product
            where deleted_at is null and sku is not null and sku <> '' group by sku having count(*) > 1) d on d.sku = p.sku
      where p.deleted_at is null
        and not exists (select 1 from failure f where f.product_id = p.id and f.code = 'sku_conflict' and f.sku = p.sku and f.resolved_at is null)
      order by p.sku, p.zoho_item_id`
    await run.fail(
      tx,
      shared.map((it) => ({
        stage: 'item',
        code: 'sku_conflict',
        message: `The items ${it.ids.join(', ')} share the SKU ${it.sku}. Both are kept; give one another SKU in Zoho.`,
        product_id: it.id,
        zoho_item_id: it.zoho_item_id ?? undefined,
        sku: it.sku,
      })),
    )
    return new Set(shared.map((it) => it.sku)).size
  })
}
