import { useZohoSettings } from '../../api/zoho.ts'
import { useHasRole } from '../../app/session.tsx'
import { Page } from '../../components/page.tsx'
import { PageTabs } from '../../components/page-tabs.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { Mapping } from './mapping.tsx'
import { modulesMessages } from './messages.ts'
import { ModuleCard } from './module-card.tsx'
import classes from './modules-page.module.css'

/** Inventory first: it is what most shops are here for. */
const ORDER = ['inventory', 'books', 'crm', 'invoice']

export default function ModulesPage() {
  const m = useMessages(modulesMessages)
  const mayRead = useHasRole('operator')
  return (
    <Page title={m.title} intro={m.intro}>
      <PageTabs
        label={m.title}
        tabs={[
          { key: 'modules', label: m.tabModules, content: () => <ModuleCards /> },
          ...(mayRead ? [{ key: 'mapping', label: m.mapping, content: () => <Mapping /> }] : []),
        ]}
      />
    </Page>
  )
}

function ModuleCards() {
  const settings = useZohoSettings()
  return (
    <QueryBoundary query={settings} skeleton={<BlockSkeleton height={420} />}>
      {({ modules }) => (
        <div className={classes.grid}>
          {[...modules]
            .sort((a, b) => ORDER.indexOf(a.slug) - ORDER.indexOf(b.slug))
            .map((module) => (
              <ModuleCard key={module.slug} module={module} />
            ))}
        </div>
      )}
    </QueryBoundary>
  )
}
