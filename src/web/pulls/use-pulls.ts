import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ManifestFile, PullPlan, PullSession, RecordComparison, SessionComparison, VerifyReport } from '../../schemas/pulls.ts'
import { toApiError } from '../api/api-error.ts'
import { request } from '../api/request.ts'

export type PullSessionDetail = PullSession & { files: ManifestFile[] }

export const PULLS = '/api/pulls'
const LOOK_EVERY_MS = 5_000

export const usePullSessions = () =>
  useQuery({
    queryKey: ['pulls', 'sessions'],
    refetchInterval: LOOK_EVERY_MS,
    queryFn: ({ signal }) => request<{ data: PullSession[] }>(`${PULLS}/`, { signal }).then(({ data }) => data),
  })

export const usePullSession = (session: string) =>
  useQuery({
    queryKey: ['pulls', 'session', session],
    refetchInterval: LOOK_EVERY_MS,
    queryFn: ({ signal }) => request<{ data: PullSessionDetail }>(`${PULLS}/${session}`, { signal }).then(({ data }) => data),
  })

/** The newest report of a check; null when there was none. */
export const useVerifyReport = (session: string) =>
  useQuery({
    queryKey: ['pulls', 'report', session],
    queryFn: ({ signal }) =>
      request<{ data: VerifyReport }>(`${PULLS}/${session}/report`, { signal })
        .then(({ data }) => data)
        .catch((error: unknown) => {
          if (toApiError(error).code === 'not_verified') return null
          throw error
        }),
  })

export const useComparison = (a: string, b: string) =>
  useQuery({
    queryKey: ['pulls', 'compare', a, b],
    enabled: a !== '' && b !== '' && a !== b,
    queryFn: ({ signal }) => request<{ data: SessionComparison }>(`${PULLS}/compare`, { query: { a, b }, signal }).then(({ data }) => data),
  })

export const useRecordComparison = (record: { a: string; b: string; module: string; record_id: string }) =>
  useQuery({
    queryKey: ['pulls', 'compare', 'record', record],
    queryFn: ({ signal }) =>
      request<{ data: RecordComparison }>(`${PULLS}/compare/record`, { query: record, signal }).then(({ data }) => data),
  })

export interface PullOrder {
  app: 'books' | 'invoice'
  modules: string[] | 'all'
  since?: string
  full: boolean
  line_items: boolean
}

export function usePullEdit() {
  const client = useQueryClient()
  const onSettled = () => client.invalidateQueries({ queryKey: ['pulls'] })
  const run = (path: string, body: unknown) => request<{ run_id: string }>(path, { method: 'POST', body }).then(({ run_id }) => run_id)
  return {
    /** Counted at Zoho, in a few calls a module. */
    plan: useMutation({
      mutationFn: (order: PullOrder) =>
        request<{ data: PullPlan }>(`${PULLS}/plan`, { method: 'POST', body: { ...order, count: true } }).then(({ data }) => data),
    }),
    start: useMutation({ mutationFn: (order: PullOrder) => run(`${PULLS}/`, order), onSettled }),
    verify: useMutation({
      mutationFn: ({ session, quick }: { session: string; quick: boolean }) => run(`${PULLS}/${session}/verify`, { quick }),
      onSettled,
    }),
    repair: useMutation({ mutationFn: (session: string) => run(`${PULLS}/${session}/repair`, {}), onSettled }),
    pin: useMutation({
      mutationFn: ({ session, pinned }: { session: string; pinned: boolean }) =>
        request(`${PULLS}/${session}`, { method: 'PATCH', body: { pinned } }),
      onSettled,
    }),
    remove: useMutation({ mutationFn: (session: string) => request(`${PULLS}/${session}`, { method: 'DELETE' }), onSettled }),
  }
}
