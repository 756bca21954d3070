// biome-ignore-all lint/a11y/useSemanticElements: rows that are placed one by one and laid out as a grid lose a table's own roles
import { type MouseEvent, memo } from 'react'
import { Link } from 'wouter'
import { Badge } from '../../components/badge.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { ProductImage } from '../../products/product-image.tsx'
import { ProductImageState } from '../../products/product-image-state.tsx'
import { productNames } from '../../products/product-names.ts'
import { productsMessages } from './messages.ts'
import type { ColumnKey } from './product-columns.ts'
import classes from './product-table.module.css'
import type { GridRow } from './use-product-blocks.ts'

interface ProductRowProps {
  index: number
  row: GridRow | undefined
  columns: readonly ColumnKey[]
  top: number
  height: number
  tabStop: boolean
  /** Undefined where nothing can be chosen. */
  selection: boolean | undefined
  onChoose(row: GridRow, extend: boolean): void
  onFocus(): void
  onOpen(): void
}

const same = (before: ProductRowProps, after: ProductRowProps) =>
  before.row === after.row &&
  before.columns === after.columns &&
  before.index === after.index &&
  before.top === after.top &&
  before.height === after.height &&
  before.tabStop === after.tabStop &&
  before.selection === after.selection

export const ProductRow = memo(function ProductRow({ index, row, columns, top, height, tabStop, selection, ...on }: ProductRowProps) {
  const m = useMessages(productsMessages)
  const place = { transform: `translateY(${top}px)`, height }
  const common = {
    role: 'row',
    'aria-rowindex': index + 2,
    'data-index': index,
    tabIndex: tabStop ? 0 : -1,
    className: `${classes.columns} ${classes.row}`,
    style: place,
    onFocus: on.onFocus,
    ...(selection !== undefined && { 'aria-selected': selection }),
  }
  if (!row)
    return (
      <div {...common}>
        {selection !== undefined && <span role="gridcell" aria-label={m.loadingRow} tabIndex={-1} className={classes.choose} />}
        <span role="gridcell" aria-label={m.loadingRow} className={classes.product} tabIndex={-1}>
          <span className={`${classes.thumb} ${classes.waiting}`} />
          <span className={classes.waiting} style={{ height: 12, width: `${35 + ((index * 17) % 40)}%` }} />
        </span>
      </div>
    )
  // A link, so that it opens in a new tab as people are used to; a plain click keeps the place in
  // the list.
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    on.onOpen()
  }
  return (
    <div {...common}>
      {selection !== undefined && <Choice row={row} selection={selection} onChoose={on.onChoose} />}
      <Cells row={row} columns={columns} onFollow={follow} />
    </div>
  )
}, same)

/**
 * Part of the row for the keyboard: the space bar chooses the row, so that the box is no tab stop
 * of its own.
 */
function Choice({ row, selection, onChoose }: { row: GridRow; selection: boolean; onChoose: ProductRowProps['onChoose'] }) {
  const m = useMessages(productsMessages)
  const { language } = useLanguage()
  return (
    <span role="gridcell" className={classes.choose} tabIndex={-1}>
      <label>
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={m.chooseRow({ name: productNames(row, language).first })}
          checked={selection}
          onChange={(event) => onChoose(row, (event.nativeEvent as globalThis.MouseEvent).shiftKey)}
        />
      </label>
    </span>
  )
}

function Cells({ row, columns, onFollow }: { row: GridRow; columns: readonly ColumnKey[]; onFollow(event: MouseEvent): void }) {
  const m = useMessages(productsMessages)
  const { language } = useLanguage()
  const { first, second } = productNames(row, language)
  return (
    <>
      <span role="gridcell" className={classes.product} tabIndex={-1}>
        <ProductImage imageUrl={row.image_url} variant="thumb" alt="" className={classes.thumb} />
        <span className={classes.names}>
          <span className={classes.first}>
            <Link href={`/products/${row.id}`} tabIndex={-1} dir="auto" className={classes.link} onClick={onFollow}>
              {first}
            </Link>
            {row.status === 'inactive' && <Badge>{m.inactive}</Badge>}
          </span>
          {second !== null && (
            <span className={classes.second} dir="auto">
              {second}
            </span>
          )}
        </span>
      </span>
      {columns.map((column) => (
        <span key={column} role="gridcell" className={CELL_CLASS[column] ?? classes.text} tabIndex={-1}>
          <Cell row={row} column={column} />
        </span>
      ))}
    </>
  )
}

const CELL_CLASS: Partial<Record<ColumnKey, string | undefined>> = {
  sku: classes.sku,
  price: classes.end,
  cost: classes.end,
  stock: classes.end,
  images: classes.end,
  picture: classes.state,
}

function Cell({ row, column }: { row: GridRow; column: ColumnKey }) {
  const format = useFormat()
  const money = (amount: string | null, currency: string | null) => amount !== null && <Ltr>{format.money(amount, currency)}</Ltr>
  switch (column) {
    case 'sku':
      return row.sku !== null && <Ltr mono>{row.sku}</Ltr>
    case 'barcode':
      return row.barcode !== null && <Ltr mono>{row.barcode}</Ltr>
    case 'price':
      return money(row.price, row.currency)
    case 'cost':
      return money(row.cost, row.currency)
    case 'stock':
      return money(row.stock, null)
    case 'images':
      return format.number(row.images.length)
    case 'changed':
      return (
        <time dateTime={row.updated_at} title={format.dateTime(row.updated_at)}>
          {format.relative(row.updated_at)}
        </time>
      )
    case 'picture':
      return <ProductImageState image_state={row.image_state} source={row.source} damaged={row.damaged} />
    case 'category':
    case 'brand':
    case 'group':
      return <bdi>{row[column]}</bdi>
  }
}
