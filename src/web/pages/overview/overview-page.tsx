import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { Link } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import type { ZohoSettings } from '../../../schemas/zoho-settings.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { MOVING, useRun } from '../../api/use-run.ts'
import { useZohoSettings } from '../../api/zoho.ts'
import { HOME } from '../../app/paths.ts'
import { useHasRole } from '../../app/session.tsx'
import { Callout } from '../../components/callout.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Page } from '../../components/page.tsx'
import { Section } from '../../components/section.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { LiveProgress } from '../../runs/live-progress.tsx'
import { isGoodSync } from '../../runs/progress.ts'
import { RunBadge } from '../../runs/run-badge.tsx'
import { useRunLabels } from '../../runs/run-labels.ts'
import { StartSync } from '../../runs/start-sync.tsx'
import { GettingStarted, isScheduled } from './getting-started.tsx'
import { overviewMessages } from './messages.ts'
import classes from './overview-page.module.css'
import { RecentRuns } from './recent-runs.tsx'
import { SyncCard } from './sync-card.tsx'

const RECENT = 6
/** Not among the first scripts of the page, which are kept small. */
const QuotaCard = lazy(() => import('./quota-card.tsx').then((module) => ({ default: module.QuotaCard })))
const CoverageTiles = lazy(() => import('./coverage-tiles.tsx').then((module) => ({ default: module.CoverageTiles })))
const ConsentCallout = lazy(() => import('../connection/consent-callout.tsx').then((module) => ({ default: module.ConsentCallout })))
const QuotaPurposes = lazy(() => import('./quota-purposes.tsx').then((module) => ({ default: module.QuotaPurposes })))

export default function OverviewPage() {
  const m = useMessages(overviewMessages)
  const mayRead = useHasRole('operator')
  const settings = useZohoSettings(mayRead)
  const runs = useQuery({
    queryKey: ['runs', 'recent'],
    refetchInterval: 5_000,
    queryFn: ({ signal }) => request<{ data: Run[] }>(`${ZOHO}/sync/runs`, { query: { limit: RECENT }, signal }).then(({ data }) => data),
  })
  const moving = runs.data?.find(({ state }) => MOVING.has(state) || state === 'paused')
  const isKnown = settings.data !== undefined && (runs.data !== undefined || runs.error !== null)
  const isNew = settings.data !== undefined && runs.data !== undefined && isBeginner(settings.data, runs.data)
  const [isDismissed, dismiss] = useDismissed()
  const unscheduled = settings.data !== undefined && !isScheduled(settings.data) && !isDismissed
  const state = settings.data?.connection.state
  return (
    <Page
      title={m.title}
      actions={
        // Not before it is known that it stays: a dialog would vanish with its button.
        isKnown &&
        state !== 'not_set_up' &&
        !isNew &&
        (state === 'revoked' ? (
          <Button component={Link} href={`${HOME}/connection`}>
            {m.reconnect}
          </Button>
        ) : (
          <StartSync />
        ))
      }
    >
      <Suspense fallback={null}>
        <ConsentCallout />
      </Suspense>
      {settings.error && <ErrorCard error={settings.error} onRetry={() => void settings.refetch()} />}
      {/* All at once: a step that is inserted above what is being read would push it away. */}
      {!mayRead ? (
        <>
          {moving && <UnderWay id={moving.id} />}
          <Suspense fallback={<BlockSkeleton height={236} />}>
            <QuotaCard />
          </Suspense>
          <Suspense fallback={<BlockSkeleton height={316} />}>
            <CoverageTiles />
          </Suspense>
          <RecentRuns query={runs} />
          <Suspense fallback={null}>
            <QuotaPurposes />
          </Suspense>
        </>
      ) : isKnown ? (
        <>
          <Attention settings={settings.data} />
          {(isNew || unscheduled) && (
            <GettingStarted settings={settings.data} runs={runs.data ?? []} {...(!isNew && { onDismiss: dismiss })} />
          )}
          {moving && <UnderWay id={moving.id} />}
          <div className={classes.pair}>
            <SyncCard settings={settings.data} runs={runs.data ?? []} />
            <Suspense fallback={<BlockSkeleton height={236} />}>
              <QuotaCard />
            </Suspense>
          </div>
          <Suspense fallback={<BlockSkeleton height={316} />}>
            <CoverageTiles />
          </Suspense>
          <RecentRuns query={runs} />
          <Suspense fallback={null}>
            <QuotaPurposes />
          </Suspense>
        </>
      ) : (
        !settings.error && (
          <>
            <div className={classes.pair}>
              <BlockSkeleton height={236} />
              <BlockSkeleton height={236} />
            </div>
            <BlockSkeleton height={316} />
            <BlockSkeleton height={340} />
          </>
        )
      )}
    </Page>
  )
}

const DISMISSED = 'zinc-getting-started-dismissed'

/** Kept in this browser: the guide was dismissed without turning a schedule on. */
function useDismissed(): [boolean, () => void] {
  const [isDismissed, setDismissed] = useState(() => localStorage.getItem(DISMISSED) === 'true')
  const dismiss = () => {
    localStorage.setItem(DISMISSED, 'true')
    setDismissed(true)
  }
  return [isDismissed, dismiss]
}

/** Until something was synced, the overview says what to do next. */
function isBeginner(settings: ZohoSettings, runs: Run[]): boolean {
  const inventory = settings.modules.find(({ slug }) => slug === 'inventory')
  // The module knows its last sync however many other runs came since; a first sync that was only
  // partly good stands among the runs.
  const synced = (inventory !== undefined && inventory.last_sync !== null) || runs.some(isGoodSync)
  return settings.connection.state === 'not_set_up' || !synced
}

function Attention({ settings }: { settings: ZohoSettings }) {
  const m = useMessages(overviewMessages)
  const { state, cause, code, remedy, params } = settings.connection
  if (cause === null || state === 'not_set_up' || state === 'connected') return null
  return (
    <Callout
      tone={state === 'revoked' ? 'bad' : 'warn'}
      title={
        <ServerText code={code} params={params} part="what">
          {cause}
        </ServerText>
      }
    >
      {remedy && (
        <ServerText code={code} params={params} part="next">
          {remedy}
        </ServerText>
      )}{' '}
      <Link href={`${HOME}/connection`}>{m.goConnection}</Link>
    </Callout>
  )
}

function UnderWay({ id }: { id: string }) {
  const m = useMessages(overviewMessages)
  const words = useRunLabels()
  const { data: run, liveness } = useRun(id)
  if (!run) return <BlockSkeleton height={126} />
  return (
    <Section
      title={`${m.underWay}: ${words.kind(run.kind)}`}
      actions={
        <>
          <RunBadge state={run.state} />
          <Button size="compact-sm" variant="default" component={Link} href={`${HOME}/runs/${run.id}`}>
            {m.watch}
          </Button>
        </>
      }
    >
      <LiveProgress run={run} liveness={liveness} />
    </Section>
  )
}
