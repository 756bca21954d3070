import { Button } from '@mantine/core'
import Pause from 'lucide-react/icons/pause'
import Play from 'lucide-react/icons/play'
import { useState } from 'react'
import type { StoreStatus } from '../../../schemas/photo-sync.ts'
import { Confirm } from '../../components/confirm.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { storesMessages } from '../../stores/messages.ts'
import { useStoreEdit } from '../../stores/use-stores.ts'

/** Stops a store's pulls for a while, and lets them go on. */
export function PauseStore({ store }: { store: StoreStatus }) {
  const m = useMessages(storesMessages)
  const { change } = useStoreEdit()
  const [asking, setAsking] = useState(false)
  const set = (paused: boolean) =>
    change.mutate(
      { id: store.id, patch: { paused } },
      {
        onSuccess: () => {
          setAsking(false)
          toast(paused ? m.pausedDone({ name: store.name }) : m.resumedDone({ name: store.name }))
        },
      },
    )
  if (store.paused_at !== null)
    return (
      <>
        <Button leftSection={<Play size={15} aria-hidden />} loading={change.isPending} onClick={() => set(false)}>
          {m.resume}
        </Button>
        {change.error && <ErrorCard error={change.error} />}
      </>
    )
  return (
    <>
      <Button variant="default" leftSection={<Pause size={15} aria-hidden />} onClick={() => setAsking(true)}>
        {m.pause}
      </Button>
      <Confirm
        opened={asking}
        title={m.pauseTitle}
        action={m.pause}
        pending={change.isPending}
        error={change.error}
        onClose={() => setAsking(false)}
        onConfirm={() => set(true)}
      >
        <p>{m.pauseText}</p>
      </Confirm>
    </>
  )
}
