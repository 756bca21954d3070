import type { RawDb } from '../database/client.ts'
import { sanitizeForJsonb } from '../lib/jsonb.ts'
import type { RunFailure } from './run-handler.ts'

/**
 * Records the failures of a run. An older open record about the same thing is closed, so that the
 * inbox has each thing once; a dismissed one stays dismissed when the same thing fails again for
 * the same cause.
 */
export async function recordFailures(tx: RawDb, runId: string, failures: RunFailure[], at: Date): Promise<void> {
  if (failures.length === 0) return
  await tx.$executeRaw`
    with given as materialized (
      select * from jsonb_to_recordset(${sanitizeForJsonb(JSON.stringify(failures))}::jsonb)
        as t(stage text, code text, zoho_code text, message text, params jsonb, product_id uuid, zoho_item_id text, sku text)),
    older as (
      select f.id, g.stage, g.code, g.product_id, g.zoho_item_id, f.code = g.code as same_cause, f.dismissed_at, f.note, f.created_at
      from given g join failure f on f.resolved_at is null and f.run_id <> ${runId}::uuid and f.stage = g.stage
        and f.product_id is not distinct from g.product_id and f.zoho_item_id is not distinct from g.zoho_item_id
        -- An image has one state; an item may fail for several causes.
        and (f.code = g.code or g.stage = 'image')),
    closed as (update failure set resolved_at = ${at} where id in (select id from older))
    insert into failure (run_id, stage, code, zoho_code, message, params, product_id, zoho_item_id, sku, created_at, dismissed_at, note)
    select ${runId}::uuid, g.stage, g.code, g.zoho_code, g.message, g.params, g.product_id, g.zoho_item_id, g.sku, ${at}, past.dismissed_at, past.note
    from given g left join lateral (
      select dismissed_at, note from older o
      where o.same_cause and o.dismissed_at is not null and o.stage = g.stage and o.code = g.code
        and o.product_id is not distinct from g.product_id and o.zoho_item_id is not distinct from g.zoho_item_id
      order by o.created_at desc limit 1) past on true`
}
