import { openState, type PullFailure } from './state.ts'

export interface EdgeStatus {
  /** When the head office last sent a list; null: never. */
  last_contact_at: string | null
  /** Images that were listed and are not stored yet. */
  behind: number
  pictures: number
  bytes: number
  errors: PullFailure[]
}

/**
 * Returns the state of a folder without network calls and without disturbing a pull that works in
 * it.
 */
export async function readEdgeStatus(dir: string): Promise<EdgeStatus> {
  const state = await openState(dir, null, { memoryOnly: true })
  let bytes = 0
  for (const { size } of state.held.values()) bytes += size
  return {
    last_contact_at: state.contactAt(),
    behind: state.pending.size,
    pictures: state.held.size,
    bytes,
    errors: [...state.failures.values()],
  }
}
