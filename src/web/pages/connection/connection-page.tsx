import { useZohoSettings } from '../../api/zoho.ts'
import { useHasRole } from '../../app/session.tsx'
import { Page } from '../../components/page.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { CheckList } from './check-list.tsx'
import { Credentials } from './credentials.tsx'
import { connectionMessages } from './messages.ts'
import { Organizations } from './organizations.tsx'
import { Scopes } from './scopes.tsx'
import { SelfClient } from './self-client.tsx'
import { StateCard } from './state-card.tsx'
import { Webhook } from './webhook.tsx'

export default function ConnectionPage() {
  const m = useMessages(connectionMessages)
  const settings = useZohoSettings()
  const mayRead = useHasRole('operator')
  const mayChange = useHasRole('admin')
  return (
    <Page title={m.title} intro={m.intro}>
      <QueryBoundary query={settings} skeleton={<BlockSkeleton height={320} />}>
        {(data) => (
          <>
            <StateCard settings={data} mayChange={mayChange} />
            {mayRead && <CheckList />}
            {mayChange && <Credentials key={data.data_center} settings={data} />}
            {mayChange && <SelfClient settings={data} />}
            {mayRead && <Organizations settings={data} mayChange={mayChange} />}
            {mayRead && <Webhook mayChange={mayChange} />}
            {mayRead && <Scopes />}
          </>
        )}
      </QueryBoundary>
    </Page>
  )
}
