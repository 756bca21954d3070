import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { z } from 'zod'
import type { VariantName } from '../../../facts/variants.ts'
import type { IntegrityResponse, MediaJobsResponse, MediaStorageResponse, VariantSettings } from '../../../schemas/media.ts'
import { request } from '../../api/request.ts'

const MEDIA = '/api/media'
const LOOK_EVERY_MS = 5_000

export const useStorage = () =>
  useQuery({
    queryKey: ['media', 'storage'],
    queryFn: ({ signal }) => request<z.infer<typeof MediaStorageResponse>>(`${MEDIA}/storage`, { signal }).then(({ data }) => data),
  })

export const useVariants = () =>
  useQuery({
    queryKey: ['media', 'variants'],
    queryFn: ({ signal }) => request<{ data: VariantSettings }>(`${MEDIA}/variants`, { signal }).then(({ data }) => data),
  })

export type Integrity = z.infer<typeof IntegrityResponse>['data']
export const useIntegrity = () =>
  useQuery({
    queryKey: ['media', 'integrity'],
    // Its own tab: a repair that was resumed in another one ends unseen otherwise.
    refetchInterval: LOOK_EVERY_MS,
    queryFn: ({ signal }) =>
      request<z.infer<typeof IntegrityResponse>>(`${MEDIA}/integrity`, { query: { limit: 200 }, signal }).then(({ data }) => data),
  })

export type Jobs = z.infer<typeof MediaJobsResponse>
export type Queue = Jobs['data'][number]['queue']
export const useJobs = () =>
  useQuery({
    queryKey: ['media', 'jobs'],
    refetchInterval: LOOK_EVERY_MS,
    queryFn: ({ signal }) => request<Jobs>(`${MEDIA}/jobs`, { signal }),
  })

export interface Regenerate {
  which: 'missing' | 'all' | 'size'
  size?: VariantName
}
export type VariantChange = Pick<VariantSettings, 'sizes' | 'quality' | 'formats'>

export function useMediaEdit() {
  const client = useQueryClient()
  const onSettled = () => client.invalidateQueries({ queryKey: ['media'] })
  const run = (path: string, body: unknown) =>
    request<{ run_id: string }>(`${MEDIA}${path}`, { method: 'POST', body }).then(({ run_id }) => run_id)
  return {
    change: useMutation({
      mutationFn: (settings: VariantChange) => request(`${MEDIA}/variants`, { method: 'PUT', body: settings }),
      onSettled,
    }),
    regenerate: useMutation({ mutationFn: (what: Regenerate) => run('/variants/regenerate', what), onSettled }),
    scan: useMutation({ mutationFn: () => run('/integrity/scan', {}), onSettled }),
    /** Without hashes: everything that was found. */
    repair: useMutation({
      mutationFn: (sha256?: string[]) => run('/integrity/repair', sha256 ? { sha256 } : {}),
      onSettled,
    }),
    queue: useMutation({
      mutationFn: ({ queue, verb }: { queue: Queue; verb: 'pause' | 'resume' | 'clear-failed' }) =>
        request(`${MEDIA}/jobs/${queue}/${verb}`, { method: 'POST', body: {} }),
      onSettled,
    }),
  }
}
