import { Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import CircleCheck from 'lucide-react/icons/circle-check'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { FailuresAnswer } from '../../contract/failures.ts'
import { ZOHO } from '../api/addresses.ts'
import { call } from '../api/call.ts'
import { HOME } from '../app/routes.ts'
import { useMessages } from '../i18n/language.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { Empty } from '../ui/empty.tsx'
import { ErrorCard } from '../ui/error-card.tsx'
import { Loaded } from '../ui/loaded.tsx'
import { RowsSkeleton } from '../ui/skeleton.tsx'
import { toast } from '../ui/toast.tsx'
import { FailureGroup } from './failure-group.tsx'
import { failureMessages } from './messages.ts'

export const useFailures = (runId?: string) =>
  useQuery({
    queryKey: ['failures', runId ?? 'all'],
    refetchInterval: 30_000,
    queryFn: ({ signal }) => call<FailuresAnswer>(`${ZOHO}/failures`, { query: { run_id: runId }, signal }),
  })

/** Retry, by a run that one is led to. */
export function useRetry() {
  const client = useQueryClient()
  const [, navigate] = useLocation()
  return useMutation({
    mutationFn: (choice: { ids?: string[]; code?: string; run_id?: string }) =>
      call<{ run_id: string }>(`${ZOHO}/failures/retry`, { method: 'POST', body: choice }),
    onSuccess: ({ run_id }) => {
      void client.invalidateQueries({ queryKey: ['failures'] })
      navigate(`${HOME}/runs/${run_id}`)
    },
  })
}

/** Open failures grouped by cause: of one run, or of all. */
export function FailureList({ runId, emptyTitle, emptyText }: { runId?: string; emptyTitle: string; emptyText?: string }) {
  const m = useMessages(failureMessages)
  const query = useFailures(runId)
  const client = useQueryClient()
  const retry = useRetry()
  const [dismissing, setDismissing] = useState<string[] | null>(null)
  const [note, setNote] = useState('')
  const dismiss = useMutation({
    mutationFn: (ids: string[]) =>
      call<{ data: { dismissed: number } }>(`${ZOHO}/failures/dismiss`, { method: 'POST', body: { ids, note } }),
    onSuccess: ({ data }) => {
      void client.invalidateQueries({ queryKey: ['failures'] })
      setDismissing(null)
      setNote('')
      toast(m.dismissed({ count: data.dismissed }))
    },
  })
  return (
    <>
      {retry.error && <ErrorCard error={retry.error} />}
      <Loaded query={query} skeleton={<RowsSkeleton rows={3} height={96} />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty icon={CircleCheck} title={emptyTitle} text={emptyText} />
          ) : (
            data.map((group) => (
              <FailureGroup
                key={`${group.stage} ${group.code}`}
                group={group}
                runId={runId}
                pending={retry.isPending && retry.variables.code === group.code}
                onRetry={(choice) => retry.mutate({ ...choice, ...(runId !== undefined && choice.ids === undefined && { run_id: runId }) })}
                onDismiss={setDismissing}
              />
            ))
          )
        }
      </Loaded>
      <Confirm
        opened={dismissing !== null}
        title={m.dismissTitle({ count: dismissing?.length ?? 0 })}
        action={m.dismissOne}
        pending={dismiss.isPending}
        error={dismiss.error}
        onConfirm={() => dismissing && dismiss.mutate(dismissing)}
        onClose={() => setDismissing(null)}
      >
        <p>{m.dismissText}</p>
        <Textarea label={m.note} value={note} onChange={(event) => setNote(event.currentTarget.value)} maxLength={1_000} rows={2} />
      </Confirm>
    </>
  )
}
