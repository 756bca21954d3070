import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import Ban from 'lucide-react/icons/ban'
import Pause from 'lucide-react/icons/pause'
import Play from 'lucide-react/icons/play'
import RotateCcw from 'lucide-react/icons/rotate-ccw'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { Run } from '../../schemas/runs.ts'
import { ZOHO } from '../api/endpoints.ts'
import { request } from '../api/request.ts'
import { runKey } from '../api/use-run.ts'
import { HOME } from '../app/paths.ts'
import { useHasRole } from '../app/session.tsx'
import { Confirm } from '../components/confirm.tsx'
import { ErrorCard } from '../components/error-card.tsx'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'
import classes from './run-actions.module.css'

const messages = defineMessages(
  {
    pause: 'Pause',
    resume: 'Resume',
    cancel: 'Cancel run',
    retryFailed: 'Retry failed',
    cancelTitle: 'Cancel this run?',
    cancelText: 'Changes made so far stay. A cancelled run cannot be resumed; a new run starts from the last successful one.',
    pauseHint: 'You can resume a paused run where it stopped.',
  },
  {
    pause: 'إيقاف مؤقت',
    resume: 'استئناف',
    cancel: 'إلغاء التشغيل',
    retryFailed: 'إعادة محاولة ما فشل',
    cancelTitle: 'إلغاء هذا التشغيل؟',
    cancelText: 'تبقى التغييرات التي جرت. لا يمكن استئناف تشغيل ملغى؛ يبدأ التشغيل الجديد من آخر تشغيل ناجح.',
    pauseHint: 'يمكنك استئناف التشغيل المتوقف من حيث توقف.',
  },
)

/** What a person may do with a run as it stands. */
export function RunActions({ run, failed }: { run: Run; failed: number }) {
  const m = useMessages(messages)
  const client = useQueryClient()
  const [, navigate] = useLocation()
  const [cancelling, setCancelling] = useState(false)
  const act = useMutation({
    mutationFn: (verb: 'pause' | 'resume' | 'cancel') => request<{ data: Run }>(`${ZOHO}/sync/runs/${run.id}/${verb}`, { method: 'POST' }),
    onSuccess: ({ data }) => {
      client.setQueryData(runKey(run.id), data)
      void client.invalidateQueries({ queryKey: ['runs'] })
      setCancelling(false)
    },
  })
  const retry = useMutation({
    mutationFn: () => request<{ run_id: string }>(`${ZOHO}/sync/runs/${run.id}/retry-failed`, { method: 'POST' }),
    onSuccess: ({ run_id }) => navigate(`${HOME}/runs/${run_id}`),
  })
  if (!useHasRole('operator')) return null
  const moving = run.state === 'queued' || run.state === 'running'
  const ended = !moving && run.state !== 'paused'
  return (
    <div className={classes.actions}>
      <div className={classes.buttons}>
        {moving && (
          <Button
            variant="default"
            leftSection={<Pause size={15} aria-hidden />}
            loading={act.isPending && act.variables === 'pause'}
            onClick={() => act.mutate('pause')}
            title={m.pauseHint}
          >
            {m.pause}
          </Button>
        )}
        {run.state === 'paused' && (
          <Button
            leftSection={<Play size={15} aria-hidden />}
            loading={act.isPending && act.variables === 'resume'}
            onClick={() => act.mutate('resume')}
          >
            {m.resume}
          </Button>
        )}
        {!ended && (
          <Button variant="default" leftSection={<Ban size={15} aria-hidden />} onClick={() => setCancelling(true)}>
            {m.cancel}
          </Button>
        )}
        {ended && failed > 0 && (
          <Button leftSection={<RotateCcw size={15} aria-hidden />} loading={retry.isPending} onClick={() => retry.mutate()}>
            {m.retryFailed}
          </Button>
        )}
      </div>
      {act.error && act.variables !== 'cancel' && <ErrorCard error={act.error} />}
      {retry.error && <ErrorCard error={retry.error} />}
      <Confirm
        opened={cancelling}
        title={m.cancelTitle}
        action={m.cancel}
        danger
        pending={act.isPending}
        error={act.variables === 'cancel' ? act.error : null}
        onConfirm={() => act.mutate('cancel')}
        onClose={() => setCancelling(false)}
      >
        <p>{m.cancelText}</p>
      </Confirm>
    </div>
  )
}
