import type { Database, Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Params } from '../messages/message.ts'

export interface FailureFilter {
  code?: string | undefined
  stage?: string | undefined
  runId?: string | undefined
  ids?: string[] | undefined
  /** The dismissed ones instead of the open ones. */
  dismissed?: boolean | undefined
  /** Failed at this time or later, and before the other. */
  from?: Date | undefined
  to?: Date | undefined
}

export interface FailureGroup {
  code: string
  stage: string
  count: number
  first_at: Date
  last_at: Date
}

export interface FailureRow {
  id: string
  run_id: string
  stage: string
  code: string
  zoho_code: string | null
  message: string
  params: Params | null
  product_id: string | null
  zoho_item_id: string | null
  sku: string | null
  name: string | null
  created_at: Date
  dismissed_at: Date | null
  note: string | null
}

/** Open: neither resolved since, nor dismissed by a person. */
function matching({ code, stage, runId, ids, dismissed = false, from, to }: FailureFilter): Prisma.Sql {
  return Prisma.sql`f.resolved_at is null and f.dismissed_at is ${dismissed ? Prisma.sql`not null` : Prisma.sql`null`}
    ${code === undefined ? Prisma.empty : Prisma.sql`and f.code = ${code}`}
    ${stage === undefined ? Prisma.empty : Prisma.sql`and f.stage = ${stage}`}
    ${runId === undefined ? Prisma.empty : Prisma.sql`and f.run_id = ${runId}::uuid`}
    ${from === undefined ? Prisma.empty : Prisma.sql`and f.created_at >= ${from}`}
    ${to === undefined ? Prisma.empty : Prisma.sql`and f.created_at < ${to}`}
    ${ids === undefined ? Prisma.empty : Prisma.sql`and f.id = any(${ids}::uuid[])`}`
}

/** Returns the causes with their number of failures, the largest first. */
export function listCauses(db: Db, filter: FailureFilter): Promise<FailureGroup[]> {
  return db.$queryRaw<FailureGroup[]>`
    select f.code, f.stage, count(*)::int as count, min(f.created_at) as first_at, max(f.created_at) as last_at
    from failure f where ${matching(filter)} group by f.code, f.stage order by count(*) desc, f.code, f.stage`
}

/** Returns failures, the newest first. */
export function listFailures(
  db: Db,
  filter: FailureFilter,
  { after, limit }: { after?: { created_at: Date; id: string } | undefined; limit: number },
): Promise<FailureRow[]> {
  return db.$queryRaw<FailureRow[]>`
    select f.id, f.run_id, f.stage, f.code, f.zoho_code, f.message, f.params, f.product_id, f.zoho_item_id, f.sku, p.name, f.created_at, f.dismissed_at, f.note
    from failure f left join product p on p.id = f.product_id
    where ${matching(filter)}
      ${after === undefined ? Prisma.empty : Prisma.sql`and (f.created_at, f.id) < (${after.created_at}, ${after.id}::uuid)`}
    order by f.created_at desc, f.id desc limit ${limit}`
}

/**
 * Removes failures from the inbox with a reason; they stay dismissed when the same thing fails
 * again for the same cause. Returns how many.
 */
export async function dismissFailures(
  { db, clock }: { db: Database; clock: Clock },
  { ids, note }: { ids: string[]; note: string },
): Promise<number> {
  const { count } = await db.failure.updateMany({
    where: { id: { in: ids }, resolved_at: null, dismissed_at: null },
    data: { dismissed_at: clock.now(), note: note === '' ? null : note },
  })
  return count
}
