import { Button, Checkbox, Modal, Radio } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import RefreshCw from 'lucide-react/icons/refresh-cw'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { ItemSyncPlan } from '../../contract/plan.ts'
import { ZOHO } from '../api/addresses.ts'
import { call } from '../api/call.ts'
import { HOME } from '../app/routes.ts'
import { useMay } from '../app/session.tsx'
import { useMessages } from '../i18n/language.tsx'
import { ErrorCard } from '../ui/error-card.tsx'
import { commonMessages } from '../ui/messages.ts'
import { PlanSummary } from './plan-summary.tsx'
import { startMessages } from './start-messages.ts'
import classes from './start-sync.module.css'

type Plan = ItemSyncPlan['data']

/** "Sync now": what shall be synced, what that would take and change, then the start. Whoever may not start runs sees nothing. */
export function StartSync({ primary = true }: { primary?: boolean }) {
  const m = useMessages(startMessages)
  const [opened, setOpened] = useState(false)
  if (!useMay('operator')) return null
  return (
    <>
      <Button variant={primary ? 'filled' : 'default'} leftSection={<RefreshCw size={15} aria-hidden />} onClick={() => setOpened(true)}>
        {m.syncNow}
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={m.title} size="lg" centered>
        {opened && <StartForm onStarted={() => setOpened(false)} />}
      </Modal>
    </>
  )
}

function StartForm({ onStarted }: { onStarted(): void }) {
  const m = useMessages(startMessages)
  const common = useMessages(commonMessages)
  const [, navigate] = useLocation()
  const client = useQueryClient()
  const [mode, setMode] = useState<'incremental' | 'full'>('incremental')
  const [withImages, setWithImages] = useState(true)
  const [confirmed, setConfirmed] = useState(false)
  const query = { mode, sync_images: withImages }

  const plan = useMutation({
    mutationFn: () => call<{ data: Plan }>(`${ZOHO}/sync/item/plan`, { method: 'POST', query }).then(({ data }) => data),
  })
  const start = useMutation({
    mutationFn: () =>
      call<{ run_id: string }>(`${ZOHO}/sync/item/execute`, {
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
      <Radio.Group label={m.what} value={mode} onChange={(value) => choose(() => setMode(value as typeof mode))}>
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
          color="red.8"
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
