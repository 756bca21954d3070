import { parse } from 'node:path'
import type { Database } from '../../database/client.ts'
import type { MediaFinding } from '../../generated/client.ts'
import type { IntegrityFinding } from '../../schemas/media.ts'

export interface IntegrityReport {
  scanned_at: Date | null
  run_id: string | null
  checked: number
  counts: Record<IntegrityFinding['kind'], number>
  findings: IntegrityFinding[]
  next: { kind: string; sha256: string } | null
}

const KINDS = ['missing', 'wrong_hash', 'untracked', 'orphan_variant', 'missing_variant'] as const
const PRODUCTS = 10

export const lastScan = (db: Database) =>
  db.mediaScan.findFirst({ where: { finished_at: { not: null } }, orderBy: { finished_at: 'desc' } })

/** Returns a page of the last scan's findings that were not repaired since. */
export async function readIntegrity(
  db: Database,
  { after, limit }: { after: { kind: string; sha256: string } | null; limit: number },
): Promise<IntegrityReport> {
  const scan = await lastScan(db)
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as IntegrityReport['counts']
  if (!scan) return { scanned_at: null, run_id: null, checked: 0, counts, findings: [], next: null }
  const open = { run_id: scan.run_id, repaired_at: null }
  for (const group of await db.mediaFinding.groupBy({ by: ['kind'], where: open, _count: true }))
    if (group.kind in counts) counts[group.kind as IntegrityFinding['kind']] = group._count
  const rows = await db.mediaFinding.findMany({
    where: { ...open, ...(after && { OR: [{ kind: { gt: after.kind } }, { kind: after.kind, sha256: { gt: after.sha256 } }] }) },
    orderBy: [{ kind: 'asc' }, { sha256: 'asc' }],
    take: limit + 1,
  })
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    scanned_at: scan.finished_at,
    run_id: scan.run_id,
    checked: scan.checked,
    counts,
    findings: await withProducts(db, page),
    next: rows.length > limit && last ? { kind: last.kind, sha256: last.sha256 } : null,
  }
}

async function withProducts(db: Database, findings: MediaFinding[]): Promise<IntegrityFinding[]> {
  const rows = await db.$queryRaw<{ sha256: string; id: string; sku: string | null; name: string }[]>`
    select f.sha256, p.id, p.sku, p.name from unnest(${findings.map((it) => it.sha256)}::text[]) as f(sha256)
    join lateral (
      select distinct p.id, p.sku, p.name from photo ph join product p on p.id = ph.product_id
      where ph.deleted_at is null and ph.sha256 in (f.sha256, (select v.source_sha256 from variant v where v.sha256 = f.sha256 limit 1))
      limit ${PRODUCTS}) p on true`
  const byHash = Map.groupBy(rows, (it) => it.sha256)
  // A file that a person put there names its product, which does not show it yet.
  const named = await db.product.findMany({
    where: { zoho_item_id: { in: findings.flatMap((it) => (it.file === null ? [] : [parse(it.file).name])) }, deleted_at: null },
    select: { id: true, sku: true, name: true, zoho_item_id: true },
  })
  for (const { file, sha256 } of findings) {
    const product = file === null ? undefined : named.find((it) => it.zoho_item_id === parse(file).name)
    if (product) byHash.set(sha256, [{ sha256, ...product }])
  }
  return findings.map((it) => ({
    kind: it.kind as IntegrityFinding['kind'],
    sha256: it.sha256,
    size: it.size === null ? null : Number(it.size),
    file: it.file,
    products: (byHash.get(it.sha256) ?? []).map(({ id, sku, name }) => ({ id, sku, name })),
    repair: it.repair as IntegrityFinding['repair'],
    repaired_at: it.repaired_at?.toISOString() ?? null,
  }))
}
