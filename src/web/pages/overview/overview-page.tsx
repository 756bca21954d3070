import { useZohoSettings } from '../../api/zoho.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { Page } from '../../ui/page.tsx'
import { Section } from '../../ui/section.tsx'
import { BlockSkeleton } from '../../ui/skeleton.tsx'

export default function OverviewPage() {
  const settings = useZohoSettings()
  return (
    <Page title="Overview">
      <Section title="Connection">
        <Loaded query={settings} skeleton={<BlockSkeleton height={80} />}>
          {(data) => <p>{data.connection.state}</p>}
        </Loaded>
      </Section>
    </Page>
  )
}
