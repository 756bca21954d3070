import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { failure } from '../../runs/because.ts'
import type { RunContext } from '../../runs/run-handler.ts'

/**
 * Reports items that share one SKU: both stay products, both are named, and a pair reported before
 * is not new. A report whose SKU is no longer shared is closed. Returns how many SKUs are new.
 */
export async function reportSkuConflicts(run: RunContext, { clock }: { clock: Clock }): Promise<number> {
  return run.fenced(async (tx) => {
    await tx.$executeRaw`
      update failure f set resolved_at = ${clock.now()}
      where f.code = 'sku_conflict' and f.resolved_at is null and not exists (
        select 1 from product p join product o on o.sku = p.sku and o.id <> p.id and o.deleted_at is null
        where p.id = f.product_id and p.deleted_at is null and p.sku = f.sku)`
    const shared = await tx.$queryRaw<{ id: string; zoho_item_id: string | null; sku: string; ids: string[] }[]>`
      select p.id, p.zoho_item_id, p.sku, d.ids
      from product p
      join (select sku, array_agg(coalesce(zoho_item_id, id::text) order by zoho_item_id) as ids from product
            where deleted_at is null and sku is not null and sku <> '' group by sku having count(*) > 1) d on d.sku = p.sku
      where p.deleted_at is null
        and not exists (select 1 from failure f where f.product_id = p.id and f.code = 'sku_conflict' and f.sku = p.sku and f.resolved_at is null
          and f.run_id <> ${run.id}::uuid)
      order by p.sku, p.zoho_item_id`
    // After a crash that followed the report, its rows are this run's already.
    await tx.failure.deleteMany({ where: { run_id: run.id, code: 'sku_conflict' } })
    await run.fail(
      tx,
      shared.map((it) => ({
        stage: 'item',
        ...failure('sku_conflict', { ids: it.ids, sku: it.sku }),
        product_id: it.id,
        zoho_item_id: it.zoho_item_id ?? undefined,
        sku: it.sku,
      })),
    )
    return new Set(shared.map((it) => it.sku)).size
  })
}

/**
 * Returns how many SKUs the run would report after the changes that a dry run recorded: those
 * shared by items of which one was not reported before.
 */
export async function countSkuConflicts(db: Database, runId: string): Promise<number> {
  const [row] = await db.$queryRaw<{ n: number }[]>`
    with after as (
      select p.id, case when r.changes ? 'sku' then r.changes -> 'sku' ->> 1 else p.sku end as sku
      from product p left join run_record r on r.run_id = ${runId}::uuid and r.record_id = p.zoho_item_id
      where coalesce(r.outcome, '') <> 'removed' and (p.deleted_at is null or r.outcome = 'restored')
      union all
      select null, r.sku from run_record r where r.run_id = ${runId}::uuid and r.outcome = 'new'),
    told as (select distinct product_id, sku from failure where code = 'sku_conflict' and resolved_at is null)
    select count(*)::int as n from (
      select a.sku from after a left join told t on t.product_id = a.id and t.sku = a.sku
      where a.sku <> '' group by a.sku having count(*) > 1 and count(t.product_id) < count(*)) shared`
  return row?.n ?? 0
}
