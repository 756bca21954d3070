import { ActionIcon, Button, Checkbox, CloseButton, NativeSelect, Popover, SegmentedControl, TextInput } from '@mantine/core'
import { useDebouncedCallback, useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import Columns3 from 'lucide-react/icons/columns-3'
import LayoutGrid from 'lucide-react/icons/layout-grid'
import List from 'lucide-react/icons/list'
import Search from 'lucide-react/icons/search'
import SlidersHorizontal from 'lucide-react/icons/sliders-horizontal'
import { useEffect, useState } from 'react'
import type { z } from 'zod'
import type { CoverageResponse } from '../../../schemas/coverage.ts'
import type { ProductFacets } from '../../../schemas/products.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { COVERAGE_KEYS, useCoverageLabels } from '../../products/coverage-labels.ts'
import { productsMessages } from './messages.ts'
import { COLUMN_KEYS, type ColumnKey, DEFAULT_COLUMNS, MAX_COLUMNS } from './product-columns.ts'
import { isFiltered, NO_FILTER, type ProductFilter, type ProductView, SORTS } from './product-filter.ts'
import classes from './product-toolbar.module.css'

/** Long enough to write a word, short enough to feel immediate. */
const TYPING_MS = 180

interface ToolbarProps {
  filter: ProductFilter
  view: ProductView
  count: number | undefined
  setFilter(changes: Partial<ProductFilter>): void
  setView(changes: Partial<ProductView>): void
}

/** Search, order and layout, which stay in sight; below them the filters, which do not. */
export function ProductToolbar({ filter, view, count, setFilter, setView }: ToolbarProps) {
  const m = useMessages(productsMessages)
  // Small screens only; wide ones always show them.
  const [open, filters] = useDisclosure(false)
  const filtered = isFiltered({ ...filter, search: '' })
  return (
    <search className={classes.search}>
      <div className={classes.bar}>
        <SearchField search={filter.search} onSearch={(search) => setFilter({ search })} />
        <ActionIcon
          className={classes.toggle}
          variant={filtered ? 'light' : 'default'}
          size={36}
          aria-label={m.filters}
          aria-expanded={open}
          aria-controls="product-filters"
          onClick={filters.toggle}
        >
          <SlidersHorizontal size={16} aria-hidden />
        </ActionIcon>
        <NativeSelect
          className={classes.sort}
          aria-label={m.sortBy}
          value={filter.sort}
          onChange={(event) => setFilter({ sort: event.currentTarget.value as ProductFilter['sort'] })}
          data={SORTS.map((value) => ({ value, label: m[`sort_${value}`] }))}
        />
        <SegmentedControl
          className={classes.layout}
          aria-label={m.layout}
          value={view.layout}
          onChange={(layout) => setView({ layout: layout as ProductView['layout'] })}
          data={[
            { value: 'table', label: <LayoutLabel icon={List} text={m.layoutTable} /> },
            { value: 'grid', label: <LayoutLabel icon={LayoutGrid} text={m.layoutGrid} /> },
          ]}
        />
        {/* Behind the layout's switch, which then stays where it was pressed. */}
        {view.layout === 'table' && <ColumnChoice columns={view.columns} onChange={(columns) => setView({ columns })} />}
        <span className={classes.count} role="status">
          {count !== undefined && m.found({ count })}
        </span>
      </div>
      <div id="product-filters" className={classes.filters} data-open={open || undefined}>
        <Filters filter={filter} setFilter={setFilter} />
        {/* Its place is kept, so that the filters do not move when the first one is set. */}
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          className={classes.clear}
          data-shown={filtered || undefined}
          onClick={() => setFilter({ ...NO_FILTER, search: filter.search, sort: filter.sort })}
        >
          {m.clearFilters}
        </Button>
      </div>
    </search>
  )
}

const LayoutLabel = ({ icon: Icon, text }: { icon: typeof List; text: string }) => (
  <span className={classes.layoutLabel} title={text}>
    <Icon size={16} aria-hidden />
    <span className={classes.hidden}>{text}</span>
  </span>
)

function SearchField({ search, onSearch }: { search: string; onSearch(search: string): void }) {
  const m = useMessages(productsMessages)
  const [text, setText] = useState(search)
  const send = useDebouncedCallback(onSearch, TYPING_MS)
  // The address can change without typing: the way back, "show all".
  useEffect(() => setText(search), [search])
  return (
    <TextInput
      className={classes.field}
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
              onSearch('')
            }}
          />
        )
      }
      {...(text !== '' && { dir: 'auto' })}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value)
        send(event.currentTarget.value)
      }}
    />
  )
}

function ColumnChoice({ columns, onChange }: { columns: readonly ColumnKey[]; onChange(columns: readonly ColumnKey[]): void }) {
  const m = useMessages(productsMessages)
  const toggle = (key: ColumnKey) =>
    onChange(COLUMN_KEYS.filter((column) => (column === key ? !columns.includes(key) : columns.includes(column))))
  return (
    <Popover position="bottom-end" withinPortal trapFocus shadow="md">
      <Popover.Target>
        <Button className={classes.columns} variant="default" leftSection={<Columns3 size={15} aria-hidden />}>
          {m.columns}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <fieldset className={classes.choices}>
          <legend className={classes.legend}>{m.columnsHint({ most: MAX_COLUMNS })}</legend>
          {COLUMN_KEYS.map((key) => (
            <Checkbox
              key={key}
              label={m[key]}
              checked={columns.includes(key)}
              disabled={columns.includes(key) ? columns.length === 1 : columns.length >= MAX_COLUMNS}
              onChange={() => toggle(key)}
            />
          ))}
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => onChange(DEFAULT_COLUMNS)}>
            {m.columnsReset}
          </Button>
        </fieldset>
      </Popover.Dropdown>
    </Popover>
  )
}

function Filters({ filter, setFilter }: Pick<ToolbarProps, 'filter' | 'setFilter'>) {
  const m = useMessages(productsMessages)
  const format = useFormat()
  const words = useCoverageLabels()
  const { data: coverage } = useQuery({
    queryKey: ['coverage'],
    staleTime: 60_000,
    queryFn: ({ signal }) => request<z.infer<typeof CoverageResponse>>(`${ZOHO}/coverage`, { signal }),
  })
  const { data: facets } = useQuery({
    queryKey: ['products', 'facets'],
    staleTime: 60_000,
    queryFn: ({ signal }) => request<{ data: ProductFacets }>('/api/products/facets', { signal }).then(({ data }) => data),
  })
  const withCount = (text: string, found: number | undefined) => (found === undefined ? text : `${text} (${format.number(found)})`)
  const named = (values: { name: string; products: number; id?: string }[] | undefined, chosen: string) => {
    const options = (values ?? []).map(({ id, name, products }) => ({ value: id ?? name, label: withCount(name, products) }))
    // A link may name one that is not there any more: it is still what the list is filtered by.
    if (chosen !== '' && !options.some(({ value }) => value === chosen)) options.push({ value: chosen, label: chosen })
    return options
  }
  const select = (key: 'category' | 'brand' | 'group' | 'stock' | 'status', all: string, options: { value: string; label: string }[]) => (
    <NativeSelect
      size="xs"
      className={classes.filter}
      aria-label={m[key]}
      data-active={filter[key] !== '' || undefined}
      value={filter[key]}
      onChange={(event) => setFilter({ [key]: event.currentTarget.value })}
      data={[{ value: '', label: all }, ...options]}
    />
  )
  return (
    <>
      <NativeSelect
        size="xs"
        className={classes.filter}
        aria-label={m.lacks}
        data-active={filter.show !== '' || undefined}
        value={filter.show}
        onChange={(event) => setFilter({ show: event.currentTarget.value as ProductFilter['show'] })}
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
      {select('category', m.allCategories, named(facets?.categories, filter.category))}
      {select('brand', m.allBrands, named(facets?.brands, filter.brand))}
      {select('group', m.allGroups, named(facets?.groups, filter.group))}
      {select('stock', m.anyStock, [
        { value: 'in', label: m.inStock },
        { value: 'out', label: m.outOfStock },
      ])}
      {select('status', m.anyStatus, [
        { value: 'active', label: m.active },
        { value: 'inactive', label: m.inactive },
      ])}
    </>
  )
}
