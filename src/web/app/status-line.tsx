import { Skeleton } from '@mantine/core'
import { Link } from 'wouter'
import type { ConnectionState } from '../../schemas/connection.ts'
import { useQuota, useZohoSettings } from '../api/zoho.ts'
import { Badge, type Tone } from '../components/badge.tsx'
import { Ltr } from '../components/ltr.tsx'
import { RelativeTime } from '../components/time.tsx'
import { useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import { frameMessages } from './messages.ts'
import { HOME } from './paths.ts'
import { useHasRole } from './session.tsx'
import classes from './status-line.module.css'

export const STATE_TONE: Record<ConnectionState, Tone> = {
  connected: 'good',
  limited: 'warn',
  stale: 'warn',
  revoked: 'bad',
  not_set_up: 'plain',
}

export function useStateName(): (state: ConnectionState) => string {
  const m = useMessages(frameMessages)
  const names: Record<ConnectionState, string> = {
    connected: m.stateConnected,
    limited: m.stateLimited,
    stale: m.stateStale,
    revoked: m.stateRevoked,
    not_set_up: m.stateNotSetUp,
  }
  return (state) => names[state]
}

/**
 * On top of every page: connected as whom, the last good sync, what is left of the day's calls.
 * Coloured only when somebody must act.
 */
export function StatusLine() {
  const m = useMessages(frameMessages)
  const format = useFormat()
  const stateName = useStateName()
  const mayRead = useHasRole('operator')
  const { data: settings } = useZohoSettings(mayRead)
  const { data: quota } = useQuota()
  const callsLeft = quota && quota.day.left !== null ? m.callsLeft({ left: format.number(quota.day.left) }) : null
  if (!mayRead)
    return (
      <div className={classes.line} role="status" aria-label={m.statusLine}>
        {callsLeft && <span>{callsLeft}</span>}
      </div>
    )
  if (!settings) return <Skeleton height={14} width={260} />
  const { state } = settings.connection
  // The items' own: a pull of invoices says nothing about prices and stock.
  const items = settings.modules.find(({ slug }) => slug === 'inventory')
  const lastSync = items?.last_sync ?? null
  // It brought what Zoho has, but for what is under Failures.
  const partialSync = items?.last_run?.state === 'partial' ? items.last_run.finished_at : null
  return (
    <div className={classes.line} role="status" aria-label={m.statusLine}>
      <Link href={`${HOME}/connection`} className={classes.state}>
        <Badge tone={STATE_TONE[state]}>{stateName(state)}</Badge>
      </Link>
      {settings.organization?.name && (
        <span className={classes.organization} title={settings.organization_id ?? undefined}>
          <bdi>{settings.organization.name}</bdi>
          <span className={classes.center}>{settings.hosts_overridden ? m.demo : <Ltr mono>{`.${settings.data_center}`}</Ltr>}</span>
        </span>
      )}
      <span className={classes.wide}>
        {partialSync === null ? m.lastSync : m.lastPartialSync}:{' '}
        {partialSync !== null ? <RelativeTime at={partialSync} /> : lastSync === null ? m.never : <RelativeTime at={lastSync} />}
      </span>
      {callsLeft && <span className={classes.wider}>{callsLeft}</span>}
    </div>
  )
}
