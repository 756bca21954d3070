import { Button, Menu } from '@mantine/core'
import ChevronDown from 'lucide-react/icons/chevron-down'
import Download from 'lucide-react/icons/download'
import FolderUp from 'lucide-react/icons/folder-up'
import Package from 'lucide-react/icons/package'
import SearchX from 'lucide-react/icons/search-x'
import { useState } from 'react'
import { Link } from 'wouter'
import { ZOHO } from '../../api/endpoints.ts'
import { buildUrl } from '../../api/request.ts'
import { HOME } from '../../app/paths.ts'
import { useHasRole } from '../../app/session.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Page } from '../../components/page.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { productsMessages } from './messages.ts'
import { ProductCards } from './product-cards.tsx'
import { isFiltered, NO_FILTER, useProductFilter } from './product-filter.ts'
import { ProductTable } from './product-table.tsx'
import { ProductToolbar } from './product-toolbar.tsx'
import classes from './products-page.module.css'
import { SelectionBar } from './selection-bar.tsx'
import { useSelection } from './use-selection.ts'

export default function ProductsPage() {
  const m = useMessages(productsMessages)
  const mayAct = useHasRole('operator')
  const { filter, view, setFilter, setView } = useProductFilter()
  const selection = useSelection(filter)
  const [count, setCount] = useState<number>()
  const list = {
    filter,
    selection: mayAct ? selection : null,
    onCount: setCount,
    empty: isFiltered(filter) ? (
      <EmptyState
        icon={SearchX}
        title={m.noneTitle}
        text={m.noneText}
        action={
          <Button variant="default" onClick={() => setFilter({ ...NO_FILTER, sort: filter.sort })}>
            {m.showAll}
          </Button>
        }
      />
    ) : (
      <EmptyState
        icon={Package}
        title={m.emptyTitle}
        text={m.emptyText}
        action={
          <Button component={Link} href={`${HOME}/modules`}>
            {m.toModules}
          </Button>
        }
      />
    ),
  }
  return (
    <Page
      title={m.title}
      intro={m.intro}
      actions={
        mayAct && (
          <>
            <ExportMenu />
            <Button component={Link} href="/products/import" variant="default" leftSection={<FolderUp size={15} aria-hidden />}>
              {m.import}
            </Button>
          </>
        )
      }
    >
      <section className={classes.card} aria-label={m.title}>
        <ProductToolbar filter={filter} view={view} setFilter={setFilter} setView={setView} count={count} />
        {view.layout === 'grid' ? (
          <ProductCards {...list} />
        ) : (
          <ProductTable {...list} columns={view.columns} onSort={(sort) => setFilter({ sort })} />
        )}
        <SelectionBar selection={selection} />
      </section>
    </Page>
  )
}

function ExportMenu() {
  const m = useMessages(productsMessages)
  const items = [
    ['json', m.exportJson],
    ['csv', m.exportCsv],
    ['zip', m.exportZip],
  ] as const
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" leftSection={<Download size={15} aria-hidden />} rightSection={<ChevronDown size={14} aria-hidden />}>
          {m.export}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{m.exportAll}</Menu.Label>
        {items.map(([kind, label]) => (
          <Menu.Item key={kind} component="a" href={buildUrl(`${ZOHO}/export`, { format: kind })} download>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
