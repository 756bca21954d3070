import { useQuery } from '@tanstack/react-query'
import type { Quota } from '../../schemas/quota.ts'
import type { ZohoSettings } from '../../schemas/zoho-settings.ts'
import { ZOHO } from './endpoints.ts'
import { request } from './request.ts'

export const settingsKey = ['zoho', 'settings'] as const
export const quotaKey = ['zoho', 'quota'] as const

/**
 * The connection, the organization and the modules: what the status line and most pages begin with.
 * Viewers are refused.
 */
export const useZohoSettings = (enabled = true) =>
  useQuery({
    queryKey: settingsKey,
    enabled,
    refetchInterval: 30_000,
    queryFn: ({ signal }) => request<{ data: ZohoSettings }>(ZOHO, { signal }).then(({ data }) => data),
  })

export const useQuota = () =>
  useQuery({
    queryKey: quotaKey,
    refetchInterval: 30_000,
    queryFn: ({ signal }) => request<{ data: Quota }>(`${ZOHO}/quota`, { signal }).then(({ data }) => data),
  })
