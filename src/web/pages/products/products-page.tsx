import { Button, CloseButton, Menu, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import ChevronDown from 'lucide-react/icons/chevron-down'
import Download from 'lucide-react/icons/download'
import FolderUp from 'lucide-react/icons/folder-up'
import Package from 'lucide-react/icons/package'
import Search from 'lucide-react/icons/search'
import SearchX from 'lucide-react/icons/search-x'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import type { z } from 'zod'
import type { CoverageResponse } from '../../../schemas/coverage.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { buildUrl, request } from '../../api/request.ts'
import { HOME } from '../../app/paths.ts'
import { useHasRole } from '../../app/session.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Page } from '../../components/page.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { COVERAGE_KEYS, useCoverageLabels } from '../../products/coverage-labels.ts'
import { productsMessages } from './messages.ts'
import { type ProductFilter, useProductFilter } from './product-filter.ts'
import { ProductGrid } from './product-grid.tsx'
import classes from './products-page.module.css'
import { SelectionBar } from './selection-bar.tsx'
import { useSelection } from './use-selection.ts'

/** Long enough to write a word, short enough to feel immediate. */
const TYPING_MS = 180

export default function ProductsPage() {
  const m = useMessages(productsMessages)
  const mayAct = useHasRole('operator')
  const [filter, setFilter] = useProductFilter()
  const selection = useSelection(filter)
  const [count, setCount] = useState<number>()
  const filtered = filter.search !== '' || filter.show !== ''
  return (
    <Page
      title={m.title}
      intro={m.intro}
      actions={
        mayAct && (
          <>
            <ExportMenu />
            <Button component={Link} href="/products/import" variant="default" leftSection={<FolderUp size={15} aria-hidden />}>
              {m.importZip}
            </Button>
          </>
        )
      }
    >
      <section className={classes.card} aria-label={m.title}>
        <Toolbar filter={filter} setFilter={setFilter} count={count} />
        <ProductGrid
          filter={filter}
          selection={mayAct ? selection : null}
          onCount={setCount}
          empty={
            filtered ? (
              <EmptyState
                icon={SearchX}
                title={m.noneTitle}
                text={m.noneText}
                action={
                  <Button variant="default" onClick={() => setFilter({ search: '', show: '' })}>
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
            )
          }
        />
        <SelectionBar selection={selection} />
      </section>
    </Page>
  )
}

interface ToolbarProps {
  filter: ProductFilter
  setFilter(filter: ProductFilter): void
  count: number | undefined
}

function Toolbar({ filter, setFilter, count }: ToolbarProps) {
  const m = useMessages(productsMessages)
  const format = useFormat()
  const words = useCoverageLabels()
  const [text, setText] = useState(filter.search)
  const { data: coverage } = useQuery({
    queryKey: ['coverage'],
    staleTime: 60_000,
    queryFn: ({ signal }) => request<z.infer<typeof CoverageResponse>>(`${ZOHO}/coverage`, { signal }),
  })
  const search = useDebouncedCallback((value: string) => setFilter({ ...filter, search: value }), TYPING_MS)
  // The address can change without typing: the way back, "show all".
  useEffect(() => setText(filter.search), [filter.search])
  const withCount = (text: string, found: number | undefined) => (found === undefined ? text : `${text} (${format.number(found)})`)
  return (
    <search className={classes.toolbar}>
      <TextInput
        className={classes.search}
        type="text"
        inputMode="search"
        aria-label={m.search}
        placeholder={m.searchHint}
        leftSection={<Search size={15} aria-hidden />}
        rightSection={
          text !== '' && (
            <CloseButton
              size="sm"
              aria-label={m.clearSearch}
              onClick={() => {
                setText('')
                setFilter({ ...filter, search: '' })
              }}
            />
          )
        }
        {...(text !== '' && { dir: 'auto' })}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value)
          search(event.currentTarget.value)
        }}
      />
      <NativeSelect
        className={classes.show}
        aria-label={m.lacks}
        value={filter.show}
        onChange={(event) => setFilter({ ...filter, show: event.currentTarget.value as ProductFilter['show'] })}
      >
        <option value="">{withCount(m.all, coverage?.total)}</option>
        <option value="with_picture">{withCount(m.withImage, coverage && coverage.total - coverage.data.without_picture)}</option>
        <hr />
        {COVERAGE_KEYS.map((key) => (
          <option key={key} value={key}>
            {withCount(words[key], coverage?.data[key])}
          </option>
        ))}
      </NativeSelect>
      <span className={classes.count} role="status">
        {count !== undefined && m.found({ count })}
      </span>
    </search>
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
