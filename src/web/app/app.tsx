import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { Redirect, Route, Router, Switch, useLocation } from 'wouter'
import { useZohoSettings } from '../api/zoho.ts'
import { ErrorCard } from '../components/error-card.tsx'
import { commonMessages } from '../components/messages.ts'
import { BlockSkeleton } from '../components/skeleton.tsx'
import { mayLeave } from '../components/use-unsaved-changes.ts'
import { useMessages } from '../i18n/language.tsx'
import { ShopZone } from '../i18n/shop-zone.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { Logo } from './logo.tsx'
import { frameMessages } from './messages.ts'
import { NotFound } from './not-found.tsx'
import { HOME, NOTIFICATIONS } from './paths.ts'
import { ROUTES } from './routes.ts'
import { type CurrentUser, CurrentUserProvider, useHasRole, useSession } from './session.tsx'
import { Shell } from './shell.tsx'

const BASE = '/settings'

/** Opened by people who have a link and no login. */
const RECONNECT = `${BASE}/reconnect`
const SecondFactorRequired = lazy(() => import('../pages/account/second-factor-required.tsx'))
// Whoever has a session never sees it.
const Login = lazy(() => import('./login.tsx').then(({ Login }) => ({ default: Login })))
const ReconnectPage = lazy(() => import('../pages/reconnect/reconnect-page.tsx'))

export function App() {
  if (location.pathname.replace(/\/$/, '') === RECONNECT)
    return (
      <Suspense>
        <ReconnectPage />
      </Suspense>
    )
  return <ForPeople />
}

function ForPeople() {
  const session = useSession()
  const m = useMessages(commonMessages)
  const frame = useMessages(frameMessages)
  if (session.data?.must_set_up_second_factor)
    return (
      <Suspense>
        <SecondFactorRequired />
      </Suspense>
    )
  if (session.data) return <Pages person={session.data} />
  if (session.error)
    return (
      <main style={{ maxWidth: 560, margin: '15vh auto 0', padding: 16 }}>
        <ErrorCard error={session.error} onRetry={() => void session.refetch()} />
      </main>
    )
  if (session.data === undefined)
    return (
      <div
        role="status"
        aria-label={m.loading}
        style={{ display: 'grid', placeContent: 'center', justifyItems: 'center', gap: 12, height: '100dvh' }}
      >
        <Logo />
        {session.failureCount > 0 && <p>{frame.connecting}</p>}
      </div>
    )
  return (
    <Suspense>
      <Login />
    </Suspense>
  )
}

function Pages({ person }: { person: CurrentUser }) {
  const m = useMessages(commonMessages)
  return (
    <Router
      base={BASE}
      aroundNav={(navigate, to, options) => {
        if (mayLeave(m.unsaved)) navigate(to, options)
      }}
    >
      <CurrentUserProvider person={person}>
        <Framed />
      </CurrentUserProvider>
    </Router>
  )
}

function Framed() {
  const m = useMessages(frameMessages)
  const common = useMessages(commonMessages)
  const { data: settings } = useZohoSettings(useHasRole('operator'))
  const [path] = useLocation()
  return (
    <ShopZone timeZone={settings?.organization?.time_zone ?? undefined}>
      <Shell>
        <ErrorBoundary resetKey={path} title={m.brokenTitle} reload={common.reload}>
          <Suspense fallback={<PageSkeleton />}>
            <Switch>
              <Route path="/">
                <Redirect to={HOME} replace />
              </Route>
              {/* Its address until 0.1; mails of older servers lead there. */}
              <Route path={`${HOME}/notices`}>
                <Redirect to={NOTIFICATIONS} replace />
              </Route>
              {ROUTES.map(({ path: pattern, component: Component }) => (
                <Route key={pattern} path={pattern}>
                  <Component />
                </Route>
              ))}
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </Shell>
    </ShopZone>
  )
}

/** Title and two cards: close to what most pages become. */
function PageSkeleton() {
  return (
    <div style={{ display: 'grid', gap: 20, maxWidth: 1160, marginInline: 'auto' }}>
      <Skeleton height={28} width={200} />
      <BlockSkeleton height={120} />
      <BlockSkeleton height={280} />
    </div>
  )
}
