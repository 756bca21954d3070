import { createApiClient } from './api-client.ts'
import type { DiskFailure } from './disk-failure.ts'
import { createTransport, HttpError, NetworkError } from './http.ts'
import type { PullOptions } from './pull.ts'
import { openState } from './state.ts'

/** Photos that are reported when the folder cannot be written at all. */
const MAX_REPORTED = 100
const TRIES = 3

/**
 * Reports to the head office the photos that cannot be stored, since the folder cannot even be
 * locked. Never throws.
 */
export async function reportUnwritable(
  { dir, server, storeId, token, variant, signal, onFailedTry }: PullOptions,
  failure: DiskFailure,
): Promise<void> {
  const state = await openState(dir, { store_id: storeId, variant }, { memoryOnly: true })
  const transport = createTransport({ signal, ...(onFailedTry && { onFailedTry }) })
  const api = createApiClient({ server: state.addressOf(server), storeId, token, signal })
  try {
    await transport.withRetry(
      async () => {
        const page = await api.list({ cursor: state.cursor(), limit: MAX_REPORTED })
        const missing = new Map([...state.pending.values()].map(({ id, version }) => [id, version]))
        for (const { id, version, deleted } of page.photos)
          if (!deleted && state.held.get(id)?.version !== version) missing.set(id, version)
        const failed = [...missing].slice(0, MAX_REPORTED)
        if (failed.length === 0) return
        await api.report(
          failed.map(([photo_id, version]) => ({
            photo_id,
            version,
            status: 'failed' as const,
            synced_at: null,
            error: failure.message,
          })),
        )
      },
      { tries: () => TRIES },
    )
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof NetworkError || error instanceof HttpError)) throw error
  }
}
