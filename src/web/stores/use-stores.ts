import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { z } from 'zod'
import type { StoreHistoryDay, StoreStatus } from '../../schemas/photo-sync.ts'
import type { EdgeToken, Store, StoreBody, StorePatch, StoreSavedResponse } from '../../schemas/stores.ts'
import { request } from '../api/request.ts'
import { toast } from '../components/toast.tsx'
import type { storesMessages } from './messages.ts'

const FLEET = '/api/v1/sync/stores'
const STORES = '/api/v1/stores'
/** Stores report at any time; whoever watches one should see it move. */
const LOOK_EVERY_MS = 5_000

export const useStoreStatusList = () =>
  useQuery({
    queryKey: ['stores', 'fleet'],
    refetchInterval: LOOK_EVERY_MS,
    queryFn: ({ signal }) => request<{ data: StoreStatus[] }>(FLEET, { signal }).then(({ data }) => data),
  })

export const useStoreStatus = (id: string) =>
  useQuery({
    queryKey: ['stores', 'fleet', id],
    refetchInterval: LOOK_EVERY_MS,
    queryFn: ({ signal }) => request<{ data: StoreStatus }>(`${FLEET}/${id}`, { signal }).then(({ data }) => data),
  })

/** What it received and reported, by day, newest first. */
export const useStoreHistory = (id: string) =>
  useQuery({
    queryKey: ['stores', 'history', id],
    queryFn: ({ signal }) => request<{ data: StoreHistoryDay[] }>(`${FLEET}/${id}/history?days=14`, { signal }).then(({ data }) => data),
  })

/** What the store is set to. For admins: others are refused. */
export const useStore = (id: string, enabled: boolean) =>
  useQuery({
    queryKey: ['stores', 'settings', id],
    enabled,
    queryFn: ({ signal }) => request<{ data: Store }>(`${STORES}/${id}`, { signal }).then(({ data }) => data),
  })

export const useEdgeTokens = (storeId: string) =>
  useQuery({
    queryKey: ['stores', 'tokens', storeId],
    queryFn: ({ signal }) => request<{ data: EdgeToken[] }>(`${STORES}/${storeId}/tokens`, { signal }).then(({ data }) => data),
  })

export interface MadeToken {
  id: string
  name: string
  token: string
  expires_at: string | null
}

type StoreSaved = z.infer<typeof StoreSavedResponse>

/** Says what was saved and is probably a mistake; `saved` where there is nothing of that. */
export function toastWarnings({ warnings = [] }: StoreSaved, m: (typeof storesMessages)['en'], saved?: string): void {
  for (const { code, unknown } of warnings) {
    const list = unknown.join(', ')
    toast(code === 'unknown_skus' ? m.unknownSkus({ list }) : m.unknownCategories({ list }))
  }
  if (warnings.length === 0 && saved !== undefined) toast(saved)
}

export function useStoreEdit() {
  const client = useQueryClient()
  const onSettled = () => client.invalidateQueries({ queryKey: ['stores'] })
  return {
    create: useMutation({
      mutationFn: (body: StoreBody) => request<StoreSaved>(STORES, { method: 'POST', body }),
      onSettled,
    }),
    change: useMutation({
      mutationFn: ({ id, patch, confirmed = false }: { id: string; patch: StorePatch; confirmed?: boolean }) =>
        request<StoreSaved>(`${STORES}/${id}`, { method: 'PATCH', body: patch, ...(confirmed && { query: { confirm_removals: true } }) }),
      onSettled,
    }),
    remove: useMutation({ mutationFn: (id: string) => request(`${STORES}/${id}`, { method: 'DELETE' }), onSettled }),
    resync: useMutation({
      mutationFn: ({ id, photos }: { id: string; photos?: string[] }) =>
        request<{ data: { photos: number } }>(`${FLEET}/${id}/resync`, { method: 'POST', body: photos ? { photo_ids: photos } : {} }).then(
          ({ data }) => data.photos,
        ),
      onSettled,
    }),
    // The answer holds the only sight of the token: it lives in the dialog's own state, never in
    // the cache.
    makeToken: useMutation({
      gcTime: 0,
      mutationFn: ({ id, ...body }: { id: string; name: string; expires_in_days: number | null }) =>
        request<{ data: MadeToken }>(`${STORES}/${id}/tokens`, { method: 'POST', body }).then(({ data }) => data),
      onSettled,
    }),
    revoke: useMutation({
      mutationFn: ({ id, tokenId }: { id: string; tokenId: string }) => request(`${STORES}/${id}/tokens/${tokenId}`, { method: 'DELETE' }),
      onSettled,
    }),
  }
}
