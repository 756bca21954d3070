import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Webhook, WebhookBody, WebhookDelivery, WebhookMade, WebhookPatch } from '../../../schemas/webhooks.ts'
import { request } from '../../api/request.ts'

const WEBHOOKS = '/api/webhooks'
const webhooksKey = ['webhooks'] as const
/** Deliveries move while the page is open. */
const LOOK_EVERY_MS = 5_000

export const useWebhooks = () =>
  useQuery({
    queryKey: webhooksKey,
    queryFn: ({ signal }) => request<{ data: Webhook[] }>(WEBHOOKS, { signal }).then(({ data }) => data),
    refetchInterval: LOOK_EVERY_MS,
  })

export const useDeliveries = (id: string, { state, cursor }: { state: string; cursor: string | null }) =>
  useQuery({
    queryKey: [...webhooksKey, id, state, cursor],
    queryFn: ({ signal }) => {
      const search = new URLSearchParams({ limit: '25', ...(state !== '' && { state }), ...(cursor !== null && { cursor }) })
      return request<{ data: WebhookDelivery[]; next_cursor: string | null }>(`${WEBHOOKS}/${id}/deliveries?${search}`, { signal })
    },
    placeholderData: keepPreviousData,
    refetchInterval: LOOK_EVERY_MS,
  })

/** What may be done with webhooks; each refreshes the lists. */
export function useWebhookEdit() {
  const client = useQueryClient()
  const onSuccess = () => void client.invalidateQueries({ queryKey: webhooksKey })
  const post = <T>(path: string, body?: object) =>
    request<{ data: T }>(`${WEBHOOKS}${path}`, { method: 'POST', ...(body && { body }) }).then(({ data }) => data)
  return {
    make: useMutation({ mutationFn: (body: WebhookBody) => post<WebhookMade>('', body), onSuccess }),
    change: useMutation({
      mutationFn: ({ id, ...body }: WebhookPatch & { id: string }) => request<unknown>(`${WEBHOOKS}/${id}`, { method: 'PATCH', body }),
      onSuccess,
    }),
    remove: useMutation({ mutationFn: (id: string) => request<unknown>(`${WEBHOOKS}/${id}`, { method: 'DELETE' }), onSuccess }),
    rotate: useMutation({
      mutationFn: (id: string) => post<WebhookMade>(`/${id}/rotate-secret`, { overlap_hours: 24 }),
      onSuccess,
    }),
    test: useMutation({ mutationFn: (id: string) => post<unknown>(`/${id}/test`), onSuccess }),
    replay: useMutation({
      mutationFn: ({ id, since }: { id: string; since: string }) => post<{ deliveries: number }>(`/${id}/replay`, { since }),
      onSuccess,
    }),
    retry: useMutation({
      mutationFn: ({ id, deliveryId }: { id: string; deliveryId: string }) => post<unknown>(`/${id}/deliveries/${deliveryId}/retry`),
      onSuccess,
    }),
  }
}
