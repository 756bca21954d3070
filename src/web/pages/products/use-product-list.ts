import { useDebouncedValue } from '@mantine/hooks'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { restoreScroll, saveScroll } from './list-position.ts'
import type { ProductFilter } from './product-filter.ts'
import { BLOCK_ROWS, type GridRow, useProductBlocks } from './use-product-blocks.ts'
import type { Selection } from './use-selection.ts'

/** What sticks above the rows: a row that is reached by key must not end up behind it. */
const STICKY_PX = 150
/** What sticks below them while something is chosen. */
const BAR_PX = 84
const PAGE_ROWS = 10
/** A wheel or a dragged scrollbar passes many blocks; only where it rests is read. */
const REST_MS = 90

interface ProductListOptions {
  filter: ProductFilter
  /** Null where nothing can be chosen. */
  selection: Selection | null
  /** Products beside each other. */
  lanes: number
  linePx: number
  /** Lines beyond the window's edges that exist, so that scrolling finds them drawn. */
  overscan: number
  onCount(total: number | undefined): void
}

/**
 * Any number of products; only the lines in sight exist. One tab stop: the arrow keys move inside.
 * Table and grid draw what this finds.
 */
export function useProductList({ filter, selection, lanes, linePx, overscan, onCount }: ProductListOptions) {
  const search = useSearch()
  const [, navigate] = useLocation()
  const body = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [range, setRange] = useState<readonly [number, number]>([0, 0])
  const [restingRange] = useDebouncedValue(range, REST_MS)
  const { total, error, isOld, refetch, rowAt } = useProductBlocks(filter, restingRange)
  const [active, setActive] = useState(0)
  const focusActive = useRef(false)

  const lines = useWindowVirtualizer({
    count: Math.ceil((total ?? 0) / lanes),
    estimateSize: () => linePx,
    overscan,
    scrollMargin: top,
    scrollPaddingStart: STICKY_PX,
    scrollPaddingEnd: selection && selection.rows.size > 0 ? BAR_PX : 16,
  })
  const items = lines.getVirtualItems()
  const firstBlock = Math.floor(((items[0]?.index ?? 0) * lanes) / BLOCK_ROWS)
  const lastBlock = Math.floor(((items.at(-1)?.index ?? 0) * lanes + lanes - 1) / BLOCK_ROWS)

  useEffect(() => setRange([firstBlock, lastBlock]), [firstBlock, lastBlock])
  useEffect(() => onCount(total), [total, onCount])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height of a line changes with the screen
  useLayoutEffect(() => lines.measure(), [linePx, lanes])
  useLayoutEffect(() => {
    const measure = () => body.current && setTop(body.current.getBoundingClientRect().top + scrollY)
    measure()
    addEventListener('resize', measure)
    return () => removeEventListener('resize', measure)
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
    // The head has buttons of its own.
    if (!(event.target as Element).closest('[data-index]')) return
    if (chooseByKey(event) || total === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Enter') {
      event.preventDefault()
      return open(active)
    }
    const forward = document.documentElement.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
    const next = {
      ArrowDown: active + lanes,
      ArrowUp: active - lanes,
      ...(lanes > 1 && {
        ArrowRight: active + (forward === 'ArrowRight' ? 1 : -1),
        ArrowLeft: active + (forward === 'ArrowLeft' ? 1 : -1),
      }),
      PageDown: active + PAGE_ROWS * lanes,
      PageUp: active - PAGE_ROWS * lanes,
      Home: 0,
      End: total - 1,
    }[event.key]
    if (next === undefined) return
    event.preventDefault()
    const index = Math.max(0, Math.min(total - 1, next))
    focusActive.current = true
    if (event.shiftKey && selection && event.key.startsWith('Arrow')) {
      const row = rowAt(active)
      if (row && !selection.rows.has(row.id)) selection.toggle(active, row)
      void selection.extendTo(index)
    }
    setActive(index)
    lines.scrollToIndex(Math.floor(index / lanes), { align: 'auto' })
  }

  // Where the only tab stop is: the active one if it exists, else the first one in sight.
  const activeLine = Math.floor(active / lanes)
  const firstInSight = items.find(({ start }) => start >= (lines.scrollOffset ?? 0) + STICKY_PX)?.index
  const stop = items.some(({ index }) => index === activeLine) ? active : firstInSight === undefined ? undefined : firstInSight * lanes
  return {
    body,
    total,
    error,
    isOld,
    refetch,
    rowAt,
    /** The lines that exist, each with its distance from the top of the body. */
    lines: items.map(({ index, start, size }) => ({ index, top: start - top, height: size })),
    height: lines.getTotalSize(),
    stop,
    open,
    choose,
    setActive,
    onKeyDown,
  }
}
