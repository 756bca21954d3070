import { VisuallyHidden } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useLocation } from 'wouter'
import { isAtLeast } from '../../facts/roles.ts'
import type { FailuresResponse } from '../../schemas/failures.ts'
import { ZOHO } from '../api/endpoints.ts'
import { request } from '../api/request.ts'
import { useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import { frameMessages } from './messages.ts'
import classes from './navigation.module.css'
import { NAV_GROUPS, type PageRoute } from './route.ts'
import { ROUTES } from './routes.ts'
import { useCurrentUser } from './session.tsx'

const listed = ROUTES.filter((route) => route.nav !== undefined)

/** The entry that the path belongs to: the longest one that it begins with. */
function currentOf(path: string): PageRoute | undefined {
  return listed.filter((route) => path === route.path || path.startsWith(`${route.path}/`)).sort((a, b) => b.path.length - a.path.length)[0]
}

export function Navigation({ onNavigate }: { onNavigate?: () => void }) {
  const m = useMessages(frameMessages)
  const { role } = useCurrentUser()
  const [path] = useLocation()
  const current = currentOf(path)
  return (
    <nav aria-label={m.mainNavigation} className={classes.nav}>
      {NAV_GROUPS.map((group) => {
        const routes = listed.filter(({ nav }) => nav?.group === group && isAtLeast(role, nav.least))
        if (routes.length === 0) return null
        return (
          <div key={group} className={classes.group}>
            <p className={classes.heading} id={`nav-${group}`}>
              {m[group]}
            </p>
            <ul aria-labelledby={`nav-${group}`} className={classes.list}>
              {routes.map(({ path: target, nav, load }) => {
                if (!nav) return null
                const Icon = nav.icon
                // Loaded while the pointer is still on its way.
                const preload = () => void load().catch(() => undefined)
                return (
                  <li key={target}>
                    <Link
                      href={target}
                      className={classes.link}
                      aria-current={current?.path === target ? 'page' : undefined}
                      onMouseEnter={preload}
                      onFocus={preload}
                      {...(onNavigate && { onClick: onNavigate })}
                    >
                      <Icon size={16} aria-hidden className={classes.icon} />
                      {m[nav.label] as string}
                      {nav.label === 'failures' && <OpenFailures />}
                    </Link>
                  </li>
                )
              })}
            </ul>
          </div>
        )
      })}
    </nav>
  )
}

const LOOK_EVERY_MS = 30_000
const MOST_SHOWN = 999

/** How many failures are open; nothing when there are none. */
function OpenFailures() {
  const m = useMessages(frameMessages)
  const format = useFormat()
  const { data: count = 0 } = useQuery({
    queryKey: ['failures', 'count'],
    refetchInterval: LOOK_EVERY_MS,
    // Only the number is shown, so one failure of each cause is enough.
    queryFn: ({ signal }) => request<FailuresResponse>(`${ZOHO}/failures`, { query: { limit: 1 }, signal }).then(({ total }) => total),
  })
  if (count === 0) return null
  return (
    <span className={classes.count}>
      <span aria-hidden>{count > MOST_SHOWN ? `${format.number(MOST_SHOWN)}+` : format.number(count)}</span>
      <VisuallyHidden>{m.openFailures({ count })}</VisuallyHidden>
    </span>
  )
}
