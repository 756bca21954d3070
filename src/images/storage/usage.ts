import type { Database } from '../../database/client.ts'
import type { BlobStore } from './blob-store.ts'
import { minFreeBytes } from './disk-space.ts'

interface Amount {
  count: number
  bytes: number
}
export interface MediaStorage {
  kind: 'file' | 's3'
  originals: Amount
  variants: Amount
  reclaimable: Amount
  free_bytes: number | null
  reserve_bytes: number
  full: boolean
}

/** Returns how much space images take, counted from the rows; equal bytes count once. */
export async function readMediaStorage({
  db,
  store,
  settingsId,
}: {
  db: Database
  store: BlobStore
  settingsId: string
}): Promise<MediaStorage> {
  const [sums] = await db.$queryRaw<Record<'oc' | 'ob' | 'vc' | 'vb' | 'rc' | 'rb', bigint>[]>`
    with files as (select sha256, max(size) as size, bool_and(settings_id <> ${settingsId}) as old from variant group by sha256),
    orphans as (select sha256, size from blob where removed_at is null and orphaned_at is not null)
    select (select count(*) from blob where removed_at is null) as oc,
      (select coalesce(sum(size), 0) from blob where removed_at is null)::bigint as ob,
      (select count(*) from files) as vc, (select coalesce(sum(size), 0) from files)::bigint as vb,
      (select count(*) from files where old) + (select count(*) from orphans) as rc,
      ((select coalesce(sum(size), 0) from files where old) + (select coalesce(sum(size), 0) from orphans))::bigint as rb`
  const amount = (count: bigint | undefined, bytes: bigint | undefined): Amount => ({
    count: Number(count ?? 0n),
    bytes: Number(bytes ?? 0n),
  })
  const space = await store.space()
  const reserve = minFreeBytes(space)
  return {
    kind: store.backend,
    originals: amount(sums?.oc, sums?.ob),
    variants: amount(sums?.vc, sums?.vb),
    reclaimable: amount(sums?.rc, sums?.rb),
    free_bytes: space?.free ?? null,
    reserve_bytes: reserve,
    full: space !== null && space.free < reserve,
  }
}
