// biome-ignore-all lint/a11y/useSemanticElements: rows that are placed one by one and laid out as a grid lose a table's own roles
import { useDebouncedValue, useMediaQuery } from '@mantine/hooks'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { ErrorCard } from '../../components/error-card.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { restoreScroll, saveScroll } from './list-position.ts'
import { productsMessages } from './messages.ts'
import type { ProductFilter } from './product-filter.ts'
import classes from './product-grid.module.css'
import { ProductRow } from './product-row.tsx'
import { BLOCK_ROWS, type GridRow, useProductBlocks } from './use-product-blocks.ts'
import { SELECTION_MAX, type Selection } from './use-selection.ts'

const ROW_PX = 60
const CARD_PX = 92
/** What sticks above the rows: a row that is reached by key must not end up behind it. */
const STICKY_PX = 150
/** What sticks below them while something is chosen. */
const BAR_PX = 84
const PAGE_ROWS = 10
/** A wheel or a dragged scrollbar passes many blocks; only where it rests is read. */
const REST_MS = 90

interface ProductGridProps {
  filter: ProductFilter
  empty: ReactNode
  /** Null where nothing can be chosen. */
  selection: Selection | null
  onCount(total: number | undefined): void
}

/**
 * Any number of products; only the rows in sight exist. One tab stop: the arrow keys move inside.
 */
export function ProductGrid({ filter, empty, selection, onCount }: ProductGridProps) {
  const m = useMessages(productsMessages)
  const search = useSearch()
  const [, navigate] = useLocation()
  const small = useMediaQuery('(max-width: 680px)', undefined, { getInitialValueInEffect: false })
  const body = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [range, setRange] = useState<readonly [number, number]>([0, 0])
  const [restingRange] = useDebouncedValue(range, REST_MS)
  const { total, error, isOld, refetch, rowAt } = useProductBlocks(filter, restingRange)
  const [active, setActive] = useState(0)
  const focusActive = useRef(false)

  const rows = useWindowVirtualizer({
    count: total ?? 0,
    estimateSize: () => (small ? CARD_PX : ROW_PX),
    overscan: 12,
    scrollMargin: top,
    scrollPaddingStart: STICKY_PX,
    scrollPaddingEnd: selection && selection.rows.size > 0 ? BAR_PX : 16,
  })
  const items = rows.getVirtualItems()
  const firstBlock = Math.floor((items[0]?.index ?? 0) / BLOCK_ROWS)
  const lastBlock = Math.floor((items.at(-1)?.index ?? 0) / BLOCK_ROWS)

  useEffect(() => setRange([firstBlock, lastBlock]), [firstBlock, lastBlock])
  useEffect(() => onCount(total), [total, onCount])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height of a row changes with the screen
  useLayoutEffect(() => rows.measure(), [small])
  useLayoutEffect(() => {
    if (body.current) setTop(body.current.getBoundingClientRect().top + scrollY)
  }, [])

  // Another filter is another list: it begins at its beginning. The way back from a product ends
  // where it began.
  const seen = useRef<string | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new list moves the reader
  useEffect(() => {
    if (total === undefined || isOld || seen.current === search) return
    const position = seen.current === null ? restoreScroll(search) : null
    const isFirst = seen.current === null
    seen.current = search
    setActive(position?.index ?? 0)
    if (position) {
      // After the page has gone to its own top.
      requestAnimationFrame(() => {
        scrollTo(0, position.scrollY)
        focusActive.current = true
        setActive(position.index)
      })
    } else if (!isFirst && scrollY > top) scrollTo(0, 0)
  }, [search, total === undefined, isOld])

  useEffect(() => {
    if (!focusActive.current) return
    const row = body.current?.querySelector<HTMLElement>(`[data-index="${active}"]`)
    if (!row) return
    focusActive.current = false
    row.focus({ preventScroll: true })
  })

  const open = (index: number) => {
    const row = rowAt(index)
    if (!row) return
    saveScroll({ search, index, scrollY })
    navigate(`/products/${row.id}`)
  }
  const choose = (index: number, row: GridRow, extend: boolean) => {
    if (extend) void selection?.extendTo(index)
    else selection?.toggle(index, row)
  }
  /** True: the key was one that chooses. */
  const chooseByKey = (event: KeyboardEvent): boolean => {
    if (!selection) return false
    const row = rowAt(active)
    if (event.key === ' ' && row) choose(active, row, event.shiftKey)
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) void selection.all()
    else if (event.key === 'Escape' && selection.rows.size > 0) selection.clear()
    else return false
    event.preventDefault()
    return true
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (chooseByKey(event) || total === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Enter') {
      event.preventDefault()
      return open(active)
    }
    const next = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + PAGE_ROWS,
      PageUp: active - PAGE_ROWS,
      Home: 0,
      End: total - 1,
    }[event.key]
    if (next === undefined) return
    event.preventDefault()
    const index = Math.max(0, Math.min(total - 1, next))
    focusActive.current = true
    if (event.shiftKey && selection && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      const row = rowAt(active)
      if (row && !selection.rows.has(row.id)) selection.toggle(active, row)
      void selection.extendTo(index)
    }
    setActive(index)
    rows.scrollToIndex(index, { align: 'auto' })
  }

  if (total === 0 && !isOld) return empty
  // Where the only tab stop is: the active row if it exists, else the first one in sight.
  const stop = items.some(({ index }) => index === active)
    ? active
    : items.find(({ start }) => start >= (rows.scrollOffset ?? 0) + STICKY_PX)?.index
  return (
    <>
      {error !== null && (
        <div className={classes.error}>
          <ErrorCard error={error} onRetry={refetch} />
        </div>
      )}
      <div
        role="grid"
        aria-label={m.title}
        aria-rowcount={(total ?? 0) + 1}
        aria-describedby="product-grid-keys"
        aria-busy={isOld}
        {...(selection && { 'aria-multiselectable': true })}
        tabIndex={-1}
        className={selection ? `${classes.grid} ${classes.choosing}` : classes.grid}
        onKeyDown={onKeyDown}
      >
        <div role="row" aria-rowindex={1} className={`${classes.columns} ${classes.head}`} tabIndex={-1}>
          {selection && (
            <span role="columnheader" tabIndex={-1} className={classes.choose}>
              <label>
                <input
                  type="checkbox"
                  aria-label={m.chooseAll}
                  checked={selection.rows.size > 0 && selection.rows.size >= Math.min(total ?? 0, SELECTION_MAX)}
                  ref={(box) => {
                    if (box) box.indeterminate = selection.rows.size > 0 && selection.rows.size < Math.min(total ?? 0, SELECTION_MAX)
                  }}
                  onChange={() => (selection.rows.size > 0 ? selection.clear() : void selection.all())}
                />
              </label>
            </span>
          )}
          <span role="columnheader" tabIndex={-1}>
            {m.product}
          </span>
          <span role="columnheader" tabIndex={-1}>
            {m.sku}
          </span>
          <span role="columnheader" tabIndex={-1} className={classes.end}>
            {m.price}
          </span>
          <span role="columnheader" tabIndex={-1} className={classes.stock}>
            {m.stock}
          </span>
          <span role="columnheader" tabIndex={-1}>
            {m.picture}
          </span>
        </div>
        <div ref={body} role="rowgroup" className={classes.body} style={{ height: rows.getTotalSize() }}>
          {items.map(({ index, start, size }) => (
            <ProductRow
              key={index}
              index={index}
              row={rowAt(index)}
              top={start - top}
              height={size}
              tabStop={index === stop}
              selection={selection ? selection.rows.has(rowAt(index)?.id ?? '') : undefined}
              onChoose={(row, extend) => choose(index, row, extend)}
              onFocus={() => setActive(index)}
              onOpen={() => open(index)}
            />
          ))}
        </div>
      </div>
      {/* Behind the head, which stays where it is when the rows come. */}
      {total === undefined && error === null && <RowsSkeleton rows={10} height={small ? CARD_PX : ROW_PX} />}
      <p id="product-grid-keys" className={classes.keys}>
        {m.gridKeys} {selection && m.chooseKeys}
      </p>
    </>
  )
}
