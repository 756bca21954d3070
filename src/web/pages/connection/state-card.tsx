import type { ZohoSettings } from '../../../schemas/zoho-settings.ts'
import { STATE_TONE, useStateName } from '../../app/status-line.tsx'
import { Badge } from '../../components/badge.tsx'
import { Callout } from '../../components/callout.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Section } from '../../components/section.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { ExactTime, RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { ConnectButton } from './connect-button.tsx'
import { accountsHost } from './data-centers.ts'
import { connectionMessages } from './messages.ts'
import classes from './state-card.module.css'

/** Whether zinc is connected, as whom, since when, and what to do if it is not. */
export function StateCard({ settings, mayChange }: { settings: ZohoSettings; mayChange: boolean }) {
  const m = useMessages(connectionMessages)
  const stateName = useStateName()
  const { connection, organization } = settings
  return (
    <Section title={m.state} actions={<Badge tone={STATE_TONE[connection.state]}>{stateName(connection.state)}</Badge>}>
      <div className={classes.body}>
        {connection.cause !== null && (
          <Callout
            tone={connection.state === 'revoked' ? 'bad' : 'warn'}
            title={
              <ServerText code={connection.code} params={connection.params} part="what">
                {connection.cause}
              </ServerText>
            }
          >
            {connection.remedy && (
              <>
                <strong>{m.remedy}:</strong>{' '}
                <ServerText code={connection.code} params={connection.params} part="next">
                  {connection.remedy}
                </ServerText>
              </>
            )}{' '}
            {connection.code && (
              <span className={classes.code}>
                <Ltr mono>{connection.code}</Ltr>
              </span>
            )}
          </Callout>
        )}
        <DescriptionList
          items={[
            [m.since, connection.since && <RelativeTime at={connection.since} />],
            [m.until, connection.until && <ExactTime at={connection.until} />],
            [
              m.organization,
              settings.organization_id && (
                <>
                  {organization?.name && <bdi>{organization.name}</bdi>} <Ltr mono>{settings.organization_id}</Ltr>
                </>
              ),
            ],
            [m.currency, organization?.currency && <Ltr>{organization.currency}</Ltr>],
            [m.zone, organization?.time_zone && <Ltr>{organization.time_zone}</Ltr>],
            [m.dataCenter, settings.hosts_overridden ? m.hostsOverridden : <Ltr key="host">{accountsHost(settings.data_center)}</Ltr>],
          ]}
        />
        {mayChange && <ConnectButton settings={settings} />}
      </div>
    </Section>
  )
}
