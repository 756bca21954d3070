import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { BackupScheduleBody, Backups } from '../../../schemas/backups.ts'
import { request } from '../../api/request.ts'

const BACKUPS = '/api/backups'
const backupsKey = ['backups'] as const
/** A backup moves while the page is open. */
const LOOK_EVERY_MS = 5_000

export const useBackups = () =>
  useQuery({
    queryKey: backupsKey,
    queryFn: ({ signal }) => request<{ data: Backups }>(BACKUPS, { signal }).then(({ data }) => data),
    refetchInterval: LOOK_EVERY_MS,
  })

/** What may be done with backups; each refreshes the page. */
export function useBackupEdit() {
  const client = useQueryClient()
  const onSuccess = () => client.invalidateQueries({ queryKey: backupsKey })
  return {
    change: useMutation({
      mutationFn: (body: BackupScheduleBody) => request<unknown>(`${BACKUPS}/schedule`, { method: 'PUT', body }),
      onSuccess,
    }),
    start: useMutation({ mutationFn: () => request<unknown>(BACKUPS, { method: 'POST' }), onSuccess }),
    rehearse: useMutation({ mutationFn: () => request<unknown>(`${BACKUPS}/rehearse`, { method: 'POST' }), onSuccess }),
  }
}
