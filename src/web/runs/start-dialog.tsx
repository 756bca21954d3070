import { Button, Checkbox, Radio } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { ItemSyncPlan } from '../../schemas/sync-plan.ts'
import { ZOHO } from '../api/endpoints.ts'
import { request } from '../api/request.ts'
import { HOME } from '../app/paths.ts'
import { Dialog } from '../components/dialog.tsx'
import { ErrorCard } from '../components/error-card.tsx'
import { commonMessages } from '../components/messages.ts'
import { useMessages } from '../i18n/language.tsx'
import { PlanSummary } from './plan-summary.tsx'
import classes from './start-dialog.module.css'
import { startMessages } from './start-messages.ts'

type Plan = ItemSyncPlan['data']
type Mode = 'incremental' | 'full'

/** What shall be synced, what that would take and change, then the start. */
export default function StartDialog({ mode = 'incremental', onClose }: { mode?: Mode; onClose(): void }) {
  const m = useMessages(startMessages)
  return (
    <Dialog opened onClose={onClose} title={m.title} size="lg">
      <StartForm first={mode} onStarted={onClose} />
    </Dialog>
  )
}

function StartForm({ first, onStarted }: { first: Mode; onStarted(): void }) {
  const m = useMessages(startMessages)
  const common = useMessages(commonMessages)
  const [, navigate] = useLocation()
  const client = useQueryClient()
  const [mode, setMode] = useState<Mode>(first)
  const [withImages, setWithImages] = useState(true)
  const [confirmed, setConfirmed] = useState(false)
  const query = { mode, sync_images: withImages }

  const plan = useMutation({
    mutationFn: () => request<{ data: Plan }>(`${ZOHO}/sync/item/plan`, { method: 'POST', query }).then(({ data }) => data),
  })
  const start = useMutation({
    mutationFn: () =>
      request<{ run_id: string }>(`${ZOHO}/sync/item/execute`, {
        method: 'POST',
        query: { ...query, wait: false, ...(confirmed && { confirm_removals: true }) },
      }),
    onSuccess: ({ run_id }) => {
      void client.invalidateQueries({ queryKey: ['runs'] })
      onStarted()
      navigate(`${HOME}/runs/${run_id}`)
    },
  })
  // A plan is of one choice; another choice has none yet.
  const choose = (change: () => void) => {
    change()
    plan.reset()
    setConfirmed(false)
  }
  const blocked = plan.data?.mass_delete != null && !confirmed
  return (
    <div className={classes.form}>
      <Radio.Group label={m.what} value={mode} onChange={(value) => choose(() => setMode(value as Mode))}>
        <div className={classes.options}>
          <Radio value="incremental" label={m.incremental} description={m.incrementalHint} />
          <Radio value="full" label={m.full} description={m.fullHint} />
        </div>
      </Radio.Group>
      <Checkbox
        label={m.images}
        description={m.imagesHint}
        checked={withImages}
        onChange={(event) => {
          const { checked } = event.currentTarget
          choose(() => setWithImages(checked))
        }}
      />
      {plan.data && <PlanSummary plan={plan.data} />}
      {plan.data?.mass_delete && (
        <Checkbox
          color="red.9"
          label={m.confirmRemovals({ count: plan.data.mass_delete.removed })}
          checked={confirmed}
          onChange={(event) => setConfirmed(event.currentTarget.checked)}
        />
      )}
      {plan.error && <ErrorCard error={plan.error} />}
      {start.error && <ErrorCard error={start.error} />}
      <div className={classes.buttons}>
        <Button variant="default" loading={plan.isPending} onClick={() => plan.mutate()}>
          {plan.error ? common.retry : m.makePlan}
        </Button>
        <Button loading={start.isPending} disabled={blocked || plan.isPending} onClick={() => start.mutate()}>
          {m.start}
        </Button>
      </div>
      <p className={classes.hint}>{m.planHint}</p>
    </div>
  )
}
