import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { FailuresResponse } from '../../schemas/failures.ts'
import { ZOHO } from '../api/endpoints.ts'
import { request } from '../api/request.ts'
import { HOME } from '../app/paths.ts'

/** What nothing but a person's decision ends: they stand apart from what failed. */
const TO_DECIDE = new Set(['sku_conflict', 'mass_delete_stopped', 'list_missing_items'])
export const isToDecide = ({ code }: { code: string }): boolean => TO_DECIDE.has(code)

/** Instants of the API; the second one is not included. */
export interface FailureDates {
  from?: string | undefined
  to?: string | undefined
}

/** What is open: of one run, or of all. */
export const useFailures = (runId?: string, dates: FailureDates = {}) =>
  useQuery({
    queryKey: ['failures', runId ?? 'all', dates],
    refetchInterval: 30_000,
    queryFn: ({ signal }) => request<FailuresResponse>(`${ZOHO}/failures`, { query: { run_id: runId, ...dates }, signal }),
  })

/** Retry, by a run that one is led to. */
export function useRetry() {
  const client = useQueryClient()
  const [, navigate] = useLocation()
  return useMutation({
    mutationFn: (choice: { ids?: string[]; code?: string; run_id?: string }) =>
      request<{ run_id: string }>(`${ZOHO}/failures/retry`, { method: 'POST', body: choice }),
    onSuccess: ({ run_id }) => {
      void client.invalidateQueries({ queryKey: ['failures'] })
      navigate(`${HOME}/runs/${run_id}`)
    },
  })
}
