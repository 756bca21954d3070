import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Database, Db, DedicatedConnection } from '../database/client.ts'
import type { VariantName } from '../facts/variants.ts'
import { Prisma } from '../generated/client.ts'
import { shareCalls } from '../lib/share-calls.ts'

/** A store as the feed needs it. */
export interface FeedStore {
  id: string
  code: string
  name: string
  variant: VariantName | null
  assortment: { skus?: string[]; categories?: string[]; in_stock?: boolean } | null
  /** It once had an assortment, so photos may have entered it since. */
  had_assortment: boolean
  generation: number
  resynced_at: string | null
  /** Its edge server is refused. */
  paused: boolean
  /** See src/schemas/rate-limit.ts. */
  rate_limit: string | null
  /** Its edge servers fetch photos from each other. */
  share: boolean
  /** Raised when a token of the store is revoked. */
  peer_key_version: number
}

/** The feed at one moment; every change committed before it has its number. */
export interface FeedSnapshot {
  epoch: string
  cursorKey: KeyObject
  /** Every change up to this number can be read. */
  lastSeq: number
  /** The feed's own time: whatever is published later has this time or a later one. */
  clockAt: string
  /** Tombstones up to this number may be deleted. */
  prunedSeq: number
  storeVersion: number
  /** Totals for a store that sells everything. */
  everything: { photos: number; bytes: number; medium_bytes: number; thumb_bytes: number; content: string }
  stores: ReadonlyMap<string, FeedStore>
}

/**
 * Photos numbered in one transaction: its lock is held for a fraction of a second, however many
 * wait.
 */
const BATCH = 5_000
/** How far the feed's clock may lag while nothing changes; each step costs a write. */
const CLOCK_LAG = '10 seconds'
/**
 * How often to check that the epoch still belongs to this database. A restored database is opened
 * again anyway, so this is a second safeguard.
 */
const IDENTITY_EVERY_MS = 60_000

interface StateRow {
  epoch: string
  cursor_key: string
  last_seq: number
  clock_at: string
  pruned_seq: number
  store_version: number
  photos: number
  bytes: number
  medium_bytes: number
  thumb_bytes: number
  content: string
  due: boolean
  stale: boolean
}

export type Feed = Awaited<ReturnType<typeof openFeed>>

/**
 * Opens the change feed. Writers only mark what they change; readers first request the present
 * state, and then everything committed so far gets its numbers. So numbers follow the order of
 * commits, which neither a sequence nor a clock would.
 */
export async function openFeed({ db, reader }: { db: Database; reader: DedicatedConnection }) {
  await ensureEpoch(db)
  let stores: { version: number; byId: ReadonlyMap<string, FeedStore> } | undefined
  let cursorKey: { text: string; key: KeyObject } | undefined
  let identityAt = performance.now()

  async function read(): Promise<StateRow | undefined> {
    const [found] = await reader.read<{ state: StateRow }>(
      Prisma.sql`
      select json_build_object('epoch', s.epoch, 'cursor_key', s.cursor_key, 'last_seq', s.last_seq, 'clock_at', s.clock_at at time zone 'utc',
        'pruned_seq', s.pruned_seq, 'store_version', s.store_version, 'photos', s.photos, 'bytes', s.bytes, 'medium_bytes', s.medium_bytes,
        'thumb_bytes', s.thumb_bytes, 'content', s.content::text, 'stale', clock_timestamp() > s.clock_at + ${CLOCK_LAG}::interval,
        'due', (select true from photo where feed_pending or member_pending order by position + 0 limit 1) is not null or exists (select 1 from feed_erased)) as state
      from feed_state s`,
    )
    return found?.state
  }

  async function look(): Promise<FeedSnapshot> {
    if (performance.now() - identityAt > IDENTITY_EVERY_MS) {
      await ensureEpoch(db)
      identityAt = performance.now()
    }
    let state = await read()
    if (!state || state.due || state.stale) {
      await assignSequence(db)
      await db.$executeRaw`update feed_state set clock_at = greatest(clock_at, date_trunc('milliseconds', clock_timestamp()))`
      state = await read()
    }
    if (!state) throw new Error('The feed has no state row')
    if (stores?.version !== state.store_version) stores = { version: state.store_version, byId: await readStores(db) }
    if (cursorKey?.text !== state.cursor_key) cursorKey = { text: state.cursor_key, key: createSecretKey(Buffer.from(state.cursor_key)) }
    return {
      epoch: state.epoch,
      cursorKey: cursorKey.key,
      lastSeq: state.last_seq,
      clockAt: new Date(`${state.clock_at}Z`).toISOString(),
      prunedSeq: state.pruned_seq,
      storeVersion: state.store_version,
      everything: {
        photos: state.photos,
        bytes: state.bytes,
        medium_bytes: state.medium_bytes,
        thumb_bytes: state.thumb_bytes,
        content: state.content,
      },
      stores: stores.byId,
    }
  }

  /**
   * The feed now: everything committed before the call is numbered. Concurrent readers share two
   * queries.
   */
  return { now: shareCalls(look) }
}

/**
 * Numbers committed changes that have no number yet. Rows that a writer has locked are left to the
 * next call.
 */
export async function assignSequence(db: Db): Promise<void> {
  for (;;) {
    const [row] = await db.$queryRaw<{ looked: number }[]>`select number_feed(${BATCH}::int) as looked`
    if ((row?.looked ?? 0) < BATCH) return
  }
}

/**
 * Creates the state row, or a new epoch when this is not the database that made the old one: a dump
 * restored elsewhere would otherwise give its numbers to other changes than those that edge servers
 * have read under them.
 */
async function ensureEpoch(db: Database): Promise<void> {
  await db.$executeRaw`
    insert into feed_state as s (id, database_id)
    select 1, (select system_identifier from pg_control_system()) || '/' || (select timeline_id from pg_control_checkpoint()) || '/' ||
      (select oid from pg_database where datname = current_database()) || '/' || 'photo'::regclass::oid
    on conflict (id) do update set epoch = gen_random_uuid(), database_id = excluded.database_id where s.database_id <> excluded.database_id`
}

async function readStores(db: Db): Promise<Map<string, FeedStore>> {
  const rows = await db.$queryRaw<{ store: FeedStore }[]>`
    select json_build_object('id', id, 'code', code, 'name', name, 'variant', nullif(variant, 'original'), 'assortment', assortment,
      'had_assortment', exists (select 1 from store_event e where e.store_id = store.id), 'generation', generation, 'resynced_at', resynced_at at time zone 'utc',
      'paused', paused_at is not null, 'rate_limit', rate_limit, 'share', share, 'peer_key_version', peer_key_version) as store from store`
  return new Map(rows.map(({ store }) => [store.id, store]))
}
