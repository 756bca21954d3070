import { Button } from '@mantine/core'
import RefreshCw from 'lucide-react/icons/refresh-cw'
import { useState } from 'react'
import { useParams } from 'wouter'
import type { StoreStatus } from '../../../schemas/photo-sync.ts'
import { useHasRole } from '../../app/session.tsx'
import { BackLink } from '../../components/back-link.tsx'
import { Callout } from '../../components/callout.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Page } from '../../components/page.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { Statistic, Statistics } from '../../components/statistic.tsx'
import { RelativeTime, useNow } from '../../components/time.tsx'
import { toast } from '../../components/toast.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { storesMessages } from '../../stores/messages.ts'
import { StoreBadge } from '../../stores/store-badge.tsx'
import { storeState } from '../../stores/store-state.ts'
import { useStore, useStoreEdit, useStoreStatus } from '../../stores/use-stores.ts'
import { FailingImages } from './failing-images.tsx'
import { History } from './history.tsx'
import { PauseStore } from './pause-store.tsx'
import classes from './store-page.module.css'
import { StoreSettings } from './store-settings.tsx'
import { Tokens } from './tokens.tsx'

export default function StorePage() {
  const m = useMessages(storesMessages)
  const { id = '' } = useParams<{ id: string }>()
  const isAdmin = useHasRole('admin')
  const fleet = useStoreStatus(id)
  const settings = useStore(id, isAdmin)
  return (
    <Page
      title={fleet.data?.name ?? m.store}
      intro={fleet.data && <Intro store={fleet.data} />}
      above={<BackLink href="/stores">{m.back}</BackLink>}
      actions={
        fleet.data && (
          <>
            {isAdmin && <PauseStore store={fleet.data} />}
            <Resync storeId={id} />
          </>
        )
      }
    >
      <QueryBoundary query={fleet} skeleton={<BlockSkeleton height={180} />}>
        {(store) => (
          <>
            {store.paused_at !== null && <Callout tone="info" title={m.pausedNotice} />}
            <Progress store={store} />
            {store.failing.length > 0 && <FailingImages store={store} />}
          </>
        )}
      </QueryBoundary>
      {fleet.data && <History storeId={id} />}
      {isAdmin && fleet.data && <Tokens storeId={id} />}
      {isAdmin && fleet.data && (
        <QueryBoundary query={settings} skeleton={<BlockSkeleton height={260} />}>
          {(store) => <StoreSettings key={store.updated_at} store={store} />}
        </QueryBoundary>
      )}
    </Page>
  )
}

function Intro({ store }: { store: StoreStatus }) {
  const m = useMessages(storesMessages)
  const now = useNow(30_000)
  return (
    <span className={classes.intro}>
      <StoreBadge state={storeState(store, now)} />
      <Ltr mono>{store.code}</Ltr>
      <span>
        {m.lastSeen}: {store.last_seen_at === null ? m.never : <RelativeTime at={store.last_seen_at} />}
      </span>
      <span className={classes.id}>
        {m.id}: <Ltr mono>{store.id.slice(0, 8)}…</Ltr> <CopyButton value={store.id} what={m.id} />
      </span>
    </span>
  )
}

function Progress({ store }: { store: StoreStatus }) {
  const m = useMessages(storesMessages)
  const format = useFormat()
  const share = store.photos_total === 0 ? 1 : store.photos_synced / store.photos_total
  return (
    <Section title={m.progress} actions={<span className="figures">{format.percent(Math.floor(share * 1_000) / 1_000)}</span>}>
      <div className={classes.progress}>
        <ProgressBar label={m.progressOf({ name: store.name })} share={share} tone={store.photos_behind === 0 ? 'good' : 'accent'} />
        <Statistics>
          <Statistic label={m.photosTotal} value={format.number(store.photos_total)} />
          <Statistic label={m.photosSynced} value={format.number(store.photos_synced)} />
          <Statistic label={m.photosBehind} value={format.number(store.photos_behind)} />
          <Statistic
            label={m.photosFailed}
            value={format.number(store.photos_failed)}
            {...(store.photos_failed > 0 && { tone: 'bad' as const })}
          />
          <Statistic label={m.bytes} value={format.bytes(store.bytes_synced)} />
        </Statistics>
      </div>
    </Section>
  )
}

function Resync({ storeId }: { storeId: string }) {
  const m = useMessages(storesMessages)
  const [asking, setAsking] = useState(false)
  const { resync } = useStoreEdit()
  if (!useHasRole('operator')) return null
  return (
    <>
      <Button variant="default" leftSection={<RefreshCw size={15} aria-hidden />} onClick={() => setAsking(true)}>
        {m.resync}
      </Button>
      <Confirm
        opened={asking}
        title={m.resyncTitle}
        action={m.resyncAction}
        pending={resync.isPending}
        error={resync.error}
        onClose={() => setAsking(false)}
        onConfirm={() =>
          resync.mutate(
            { id: storeId },
            {
              onSuccess: (count) => {
                setAsking(false)
                toast(m.resent({ count }))
              },
            },
          )
        }
      >
        <p>{m.resyncText}</p>
      </Confirm>
    </>
  )
}
