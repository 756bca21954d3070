import { Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import CircleCheck from 'lucide-react/icons/circle-check'
import { useState } from 'react'
import { ZOHO } from '../api/endpoints.ts'
import { request } from '../api/request.ts'
import { Confirm } from '../components/confirm.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { ErrorCard } from '../components/error-card.tsx'
import { QueryBoundary } from '../components/query-boundary.tsx'
import { RowsSkeleton } from '../components/skeleton.tsx'
import { toast } from '../components/toast.tsx'
import { useMessages } from '../i18n/language.tsx'
import { FailureGroup, type Group } from './failure-group.tsx'
import { failureMessages } from './messages.ts'
import { type FailureDates, useFailures, useRetry } from './queries.ts'

/** Open failures grouped by cause: of one run, or of all. */
export function FailureList({
  runId,
  only = () => true,
  emptyTitle,
  emptyText,
  filtered,
  dates,
}: {
  runId?: string
  only?: (group: Group) => boolean
  emptyTitle: string
  emptyText?: string
  filtered?: boolean
  dates?: FailureDates
}) {
  const m = useMessages(failureMessages)
  const query = useFailures(runId, dates)
  const client = useQueryClient()
  const retry = useRetry()
  const [dismissing, setDismissing] = useState<string[] | null>(null)
  const [note, setNote] = useState('')
  const dismiss = useMutation({
    mutationFn: (ids: string[]) =>
      request<{ data: { dismissed: number } }>(`${ZOHO}/failures/dismiss`, { method: 'POST', body: { ids, note } }),
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
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={3} height={96} />}>
        {({ data: all }) => {
          const data = all.filter(only)
          return data.length === 0 ? (
            <EmptyState icon={CircleCheck} title={emptyTitle} text={emptyText} {...(filtered && { filtered })} />
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
        }}
      </QueryBoundary>
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
