// biome-ignore-all lint/a11y/useSemanticElements: cards that are placed line by line have no element of their own
import { Skeleton } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { type MouseEvent, memo, type ReactNode, useLayoutEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import { Badge } from '../../components/badge.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { ProductImage } from '../../products/product-image.tsx'
import { ProductImageState } from '../../products/product-image-state.tsx'
import { productNames } from '../../products/product-names.ts'
import { productsMessages } from './messages.ts'
import classes from './product-cards.module.css'
import type { ProductFilter } from './product-filter.ts'
import type { GridRow } from './use-product-blocks.ts'
import { useProductList } from './use-product-list.ts'
import type { Selection } from './use-selection.ts'

const CARD_MIN_PX = 150
const GAP_PX = 12
/** Below the image: two lines of name, SKU and price. */
const WORDS_PX = 86
const OVERSCAN = 2
/** What a phone shows before it was measured. */
const FIRST_WIDTH_PX = 320

interface ProductCardsProps {
  filter: ProductFilter
  empty: ReactNode
  /** Null where nothing can be chosen. */
  selection: Selection | null
  onCount(total: number | undefined): void
}

/** Products as images beside each other, as many as there is room for. */
export function ProductCards({ filter, empty, selection, onCount }: ProductCardsProps) {
  const m = useMessages(productsMessages)
  const { ref, width } = useElementSize<HTMLDivElement>()
  // The observer answers after the first frame; cards that then change their size would jump.
  const [firstWidth, setFirstWidth] = useState(FIRST_WIDTH_PX)
  const whole = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    if (whole.current) setFirstWidth(whole.current.clientWidth)
  }, [])
  const room = width || firstWidth
  const lanes = Math.max(2, Math.floor((room - GAP_PX) / (CARD_MIN_PX + GAP_PX + 26)))
  const cardPx = Math.floor((room - GAP_PX * (lanes + 1)) / lanes)
  const list = useProductList({ filter, selection, lanes, linePx: cardPx + WORDS_PX + GAP_PX, overscan: OVERSCAN, onCount })
  const { total, error, isOld, rowAt } = list
  if (total === 0 && !isOld) return empty
  return (
    <div ref={whole}>
      <div ref={ref} />
      {error !== null && (
        <div className={classes.error}>
          <ErrorCard error={error} onRetry={list.refetch} />
        </div>
      )}
      <div
        role="grid"
        aria-label={m.title}
        aria-rowcount={Math.ceil((total ?? 0) / lanes)}
        aria-colcount={lanes}
        aria-describedby="product-cards-keys"
        aria-busy={isOld || total === undefined}
        {...(selection && { 'aria-multiselectable': true })}
        tabIndex={-1}
        className={classes.grid}
        onKeyDown={list.onKeyDown}
      >
        <div ref={list.body} role="rowgroup" className={classes.body} style={{ height: total === undefined ? 600 : list.height + GAP_PX }}>
          {list.lines.map(({ index: line, top, height }) => (
            <div
              key={line}
              role="row"
              tabIndex={-1}
              aria-rowindex={line + 1}
              className={classes.line}
              style={{ transform: `translateY(${top}px)`, height, gridTemplateColumns: `repeat(${lanes}, minmax(0, 1fr))` }}
            >
              {Array.from({ length: Math.min(lanes, (total ?? 0) - line * lanes) }, (_, lane) => {
                const index = line * lanes + lane
                const row = rowAt(index)
                return (
                  <ProductCard
                    key={index}
                    index={index}
                    row={row}
                    tabStop={index === list.stop}
                    selection={selection ? selection.rows.has(row?.id ?? '') : undefined}
                    onChoose={(extend) => row && list.choose(index, row, extend)}
                    onFocus={() => list.setActive(index)}
                    onOpen={() => list.open(index)}
                  />
                )
              })}
            </div>
          ))}
        </div>
      </div>
      <p id="product-cards-keys" className={classes.keys}>
        {m.gridKeys} {selection && m.chooseKeys}
      </p>
    </div>
  )
}

interface ProductCardProps {
  index: number
  row: GridRow | undefined
  tabStop: boolean
  /** Undefined where nothing can be chosen. */
  selection: boolean | undefined
  onChoose(extend: boolean): void
  onFocus(): void
  onOpen(): void
}

const same = (before: ProductCardProps, after: ProductCardProps) =>
  before.row === after.row && before.index === after.index && before.tabStop === after.tabStop && before.selection === after.selection

const ProductCard = memo(function ProductCard({ index, row, tabStop, selection, ...on }: ProductCardProps) {
  const m = useMessages(productsMessages)
  const format = useFormat()
  const { language } = useLanguage()
  const common = {
    'data-index': index,
    className: classes.card,
    onFocus: on.onFocus,
    ...(selection !== undefined && { 'aria-selected': selection }),
  }
  if (!row)
    return (
      <div role="gridcell" tabIndex={tabStop ? 0 : -1} {...common} aria-label={m.loadingRow}>
        <Skeleton className={classes.picture} radius={0} />
      </div>
    )
  const { first } = productNames(row, language)
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    on.onOpen()
  }
  const needsWork = row.source === null || row.damaged || row.image_state === 'failed'
  return (
    <div role="gridcell" tabIndex={tabStop ? 0 : -1} {...common}>
      <ProductImage imageUrl={row.image_url} variant="thumb" sharp alt="" className={classes.picture} />
      {selection !== undefined && (
        <label className={classes.choose}>
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={m.chooseRow({ name: first })}
            checked={selection}
            onChange={(event) => on.onChoose((event.nativeEvent as globalThis.MouseEvent).shiftKey)}
          />
        </label>
      )}
      {needsWork && (
        <span className={classes.state}>
          <ProductImageState image_state={row.image_state} source={row.source} damaged={row.damaged} />
        </span>
      )}
      <div className={classes.words}>
        <Link href={`/products/${row.id}`} tabIndex={-1} dir="auto" className={classes.name} onClick={follow}>
          {first}
        </Link>
        <span className={classes.facts}>
          {row.sku !== null && (
            <span className={classes.sku}>
              <Ltr mono>{row.sku}</Ltr>
            </span>
          )}
          {row.status === 'inactive' ? (
            <Badge>{m.inactive}</Badge>
          ) : (
            row.price !== null && <Ltr>{format.money(row.price, row.currency)}</Ltr>
          )}
        </span>
      </div>
    </div>
  )
}, same)
