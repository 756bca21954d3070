import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { Run } from '../../schemas/runs.ts'
import { ZOHO } from './endpoints.ts'
import { request } from './request.ts'

export const runKey = (id: string) => ['run', id] as const
/** States in which something may still change by itself. */
export const MOVING: ReadonlySet<Run['state']> = new Set(['queued', 'running'])
const RECONNECT_FIRST_MS = 1_000
const RECONNECT_MAX_MS = 10_000

/**
 * `live`: the stream is open. `reconnecting`: it broke (the server restarts) and is tried again.
 * `still`: the run stands, there is nothing to hear.
 */
export type Liveness = 'live' | 'reconnecting' | 'still'

/**
 * A run that is kept up to date by its event stream while it moves. A broken stream is opened again
 * for as long as the page is there,
 * so that a restart of the server in the middle of a run shows as a pause and not as an error.
 */
export function useRun(id: string) {
  const client = useQueryClient()
  const query = useQuery({
    queryKey: runKey(id),
    queryFn: ({ signal }) => request<{ data: Run }>(`${ZOHO}/sync/runs/${id}`, { signal }).then(({ data }) => data),
  })
  const [liveness, setLiveness] = useState<Liveness>('still')
  const moving = query.data !== undefined && MOVING.has(query.data.state)

  useEffect(() => {
    if (!moving) {
      setLiveness('still')
      return
    }
    let source: EventSource
    let timer: ReturnType<typeof setTimeout>
    let waitMs = RECONNECT_FIRST_MS
    const open = () => {
      source = new EventSource(`${ZOHO}/sync/runs/${id}/events`)
      source.onopen = () => {
        waitMs = RECONNECT_FIRST_MS
        setLiveness('live')
      }
      source.addEventListener('run', (event) => {
        const run = JSON.parse(event.data) as Run
        client.setQueryData(runKey(id), run)
      })
      // Also when the server ended the stream in an orderly way: a run that still moves is looked
      // at again.
      source.onerror = () => {
        source.close()
        setLiveness('reconnecting')
        timer = setTimeout(() => {
          void client.invalidateQueries({ queryKey: runKey(id) })
          open()
        }, waitMs)
        waitMs = Math.min(waitMs * 2, RECONNECT_MAX_MS)
      }
    }
    open()
    return () => {
      clearTimeout(timer)
      source.close()
    }
  }, [id, moving, client])

  const stands = query.data !== undefined && !moving
  const knownAt = useRef(0)
  knownAt.current = query.dataUpdatedAt
  useEffect(() => {
    if (!stands) return
    // What the run has changed shows elsewhere: lists, tiles, the status line. Also when it was
    // over before anybody could listen to it.
    void client.invalidateQueries({
      predicate: ({ queryKey, state }) =>
        queryKey[0] !== 'session' &&
        queryKey.join() !== runKey(id).join() &&
        state.dataUpdatedAt > 0 &&
        state.dataUpdatedAt <= knownAt.current,
    })
  }, [id, stands, client])

  return { ...query, liveness }
}
