import { Button } from '@mantine/core'
import Plug from 'lucide-react/icons/plug'
import { Link } from 'wouter'
import type { ZohoSettings } from '../../../schemas/zoho-settings.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { HOME } from '../../app/paths.ts'
import { useMessages } from '../../i18n/language.tsx'
import classes from './connect-button.module.css'
import { connectionMessages } from './messages.ts'
import { ReconnectLink } from './reconnect-link.tsx'

/** Leads to Zoho's consent, or makes a link for the person who may give it. */
export function ConnectButton({ settings: { client_id, client_secret, connection } }: { settings: ZohoSettings }) {
  const m = useMessages(connectionMessages)
  const ready = client_id !== null && client_secret !== null
  return (
    <div className={classes.actions}>
      {/* A real link: the consent flow leaves the page and comes back. */}
      <Button
        component="a"
        href={`${ZOHO}/oauth/start`}
        variant={connection.state === 'connected' || connection.state === 'limited' ? 'default' : 'filled'}
        leftSection={<Plug size={15} aria-hidden />}
        {...(!ready && {
          'data-disabled': true,
          'aria-disabled': true,
          onClick: (event: React.MouseEvent) => event.preventDefault(),
        })}
      >
        {connection.state === 'not_set_up' ? m.connect : m.reconnect}
      </Button>
      {ready ? <ReconnectLink /> : <Link href={`${HOME}/connection?tab=credentials`}>{m.connectNeeds}</Link>}
    </div>
  )
}
