import type { StoreStatus } from '../../schemas/photo-sync.ts'
import type { Tone } from '../components/badge.tsx'

export type StoreState = 'paused' | 'never' | 'silent' | 'failing' | 'behind' | 'complete'

const SILENT_AFTER_MS = 24 * 3_600_000
/** Worst first. */
const RANK: Record<StoreState, number> = { failing: 0, silent: 1, never: 2, behind: 3, paused: 4, complete: 5 }

export const STORE_STATES = Object.keys(RANK) as StoreState[]

export const STORE_TONE: Record<StoreState, Tone> = {
  failing: 'bad',
  silent: 'warn',
  never: 'plain',
  paused: 'plain',
  behind: 'info',
  complete: 'good',
}

export function storeState(store: StoreStatus, now: number): StoreState {
  // Somebody wants it silent.
  if (store.paused_at !== null) return 'paused'
  if (store.last_seen_at === null) return 'never'
  if (store.photos_failed > 0) return 'failing'
  if (now - new Date(store.last_seen_at).getTime() > SILENT_AFTER_MS) return 'silent'
  return store.photos_behind > 0 ? 'behind' : 'complete'
}

/** Those that need help first; among equals the one that is further behind. */
export const bySeverity =
  (now: number) =>
  (a: StoreStatus, b: StoreStatus): number =>
    RANK[storeState(a, now)] - RANK[storeState(b, now)] ||
    b.photos_failed - a.photos_failed ||
    b.photos_behind - a.photos_behind ||
    a.name.localeCompare(b.name)
