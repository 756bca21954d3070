import { useZohoSettings } from '../../api/zoho.ts'
import { useHasRole } from '../../app/session.tsx'
import { Page } from '../../components/page.tsx'
import { PageTabs } from '../../components/page-tabs.tsx'
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
          <PageTabs
            label={m.title}
            tabs={[
              {
                key: 'status',
                label: m.state,
                content: () => (
                  <>
                    <StateCard settings={data} mayChange={mayChange} />
                    {mayRead && <CheckList />}
                  </>
                ),
              },
              ...(mayRead
                ? [
                    {
                      key: 'credentials',
                      label: m.setup,
                      content: () => (
                        <>
                          {mayChange && <Credentials key={data.data_center} settings={data} />}
                          {mayChange && <SelfClient settings={data} />}
                          <Organizations settings={data} mayChange={mayChange} />
                        </>
                      ),
                    },
                    { key: 'scopes', label: m.scopes, content: () => <Scopes /> },
                    { key: 'webhook', label: m.webhook, content: () => <Webhook mayChange={mayChange} /> },
                  ]
                : []),
            ]}
          />
        )}
      </QueryBoundary>
    </Page>
  )
}
