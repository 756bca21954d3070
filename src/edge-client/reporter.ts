import { MAX_REPORTS } from '../schemas/photo-sync.ts'
import type { ApiClient } from './api-client.ts'
import type { Persistence, Transport } from './http.ts'
import type { EdgeState, PendingReport } from './state.ts'

/** Reports are sent together, but not later than this after the photo arrived. */
const EVERY_MS = 15_000
/** With peers each client reports what only one of them has fetched over the line. */
const SHARING_EVERY_MS = 60_000
const FEWEST = 10

export interface ReporterOptions {
  state: EdgeState
  api: ApiClient
  transport: Transport
  /** Whether photos come from peers, too. */
  sharing: boolean
}

/**
 * Reports to the server what was done. Unsent reports are in the state and are sent the next time.
 */
export function createReporter({ state, api, transport, sharing }: ReporterOptions) {
  const everyMs = sharing ? SHARING_EVERY_MS : EVERY_MS
  /**
   * The server's time minus ours: reports are ordered by their time, and an edge server's clock may
   * be wrong.
   */
  let aheadMs = 0
  let sentAt = performance.now()
  let sending: Promise<void> | null = null
  let requests = 0
  let most = MAX_REPORTS

  async function send(persistence?: Persistence): Promise<void> {
    while (state.reports.size > 0) {
      let batch: PendingReport[] = []
      // A report must never look older than one sent before it: the server keeps the newest, and a
      // photo that failed and then arrived would stay failed. The time of a list may be ten seconds
      // old, and a full disk may have kept the last report's time from the journal. So a time that
      // is too late, which the server replaces by now, is better than one that is too early.
      const last = Date.parse(state.toldAt() ?? '') || 0
      const synced_at = new Date(Math.max(Date.now() + aheadMs, last + 1)).toISOString()
      await state.telling(synced_at)
      await transport.withRetry(async () => {
        batch = state.reports.first(most)
        requests++
        // A connection that is cut every few seconds may never carry a large one.
        most = Math.max(FEWEST, Math.floor(most / 2))
        await api.report(
          batch.map((report) => ({ ...report, synced_at })),
          // A head office that shares keys also reads compressed reports.
          { client: state.client(), gzip: state.settings()?.sharing !== undefined },
        )
        most = Math.min(MAX_REPORTS, most * 4)
      }, persistence)
      await state.reported(batch)
    }
    sentAt = performance.now()
  }
  const sendOnce = (persistence?: Persistence): Promise<void> => {
    sending ??= send(persistence).finally(() => {
      sending = null
    })
    return sending
  }

  return {
    requests: () => requests,
    serverIsAhead(ms: number): void {
      aheadMs = ms
    },
    async maybeSend(): Promise<void> {
      if (performance.now() - sentAt > everyMs || state.reports.size >= MAX_REPORTS) await sendOnce()
    },
    async sendAll(persistence?: Persistence): Promise<void> {
      await sending
      await sendOnce(persistence)
    },
  }
}
