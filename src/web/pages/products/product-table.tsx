// biome-ignore-all lint/a11y/useSemanticElements: rows that are placed one by one and laid out as a grid lose a table's own roles
import { useMediaQuery } from '@mantine/hooks'
import ArrowDown from 'lucide-react/icons/arrow-down'
import ArrowUp from 'lucide-react/icons/arrow-up'
import type { CSSProperties, ReactNode } from 'react'
import { ErrorCard } from '../../components/error-card.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { productsMessages } from './messages.ts'
import { CARD_COLUMNS, type ColumnKey, columnOf, MAX_COLUMNS_MEDIUM, type ProductSortKey } from './product-columns.ts'
import type { ProductFilter, ProductSort } from './product-filter.ts'
import { ProductRow } from './product-row.tsx'
import classes from './product-table.module.css'
import { useProductList } from './use-product-list.ts'
import { SELECTION_MAX, type Selection } from './use-selection.ts'

const ROW_PX = 60
const CARD_PX = 92
const OVERSCAN = 8

interface ProductTableProps {
  filter: ProductFilter
  columns: readonly ColumnKey[]
  empty: ReactNode
  /** Null where nothing can be chosen. */
  selection: Selection | null
  onSort(sort: ProductSort): void
  onCount(total: number | undefined): void
}

/** Products as rows, on a phone as cards; the heads of the columns sort. */
export function ProductTable({ filter, columns: chosen, empty, selection, onSort, onCount }: ProductTableProps) {
  const m = useMessages(productsMessages)
  const small = useMediaQuery('(max-width: 680px)', undefined, { getInitialValueInEffect: false })
  const medium = useMediaQuery('(max-width: 1020px)', undefined, { getInitialValueInEffect: false })
  const columns = small ? CARD_COLUMNS : medium ? chosen.slice(0, MAX_COLUMNS_MEDIUM) : chosen
  const list = useProductList({ filter, selection, lanes: 1, linePx: small ? CARD_PX : ROW_PX, overscan: OVERSCAN, onCount })
  const { total, error, isOld, rowAt } = list
  if (total === 0 && !isOld) return empty
  const template = { '--product-columns': columns.map((key) => columnOf(key).width).join(' ') } as CSSProperties
  const head = (label: string, key: ColumnKey | 'product', sort: ProductSortKey | undefined) => (
    <ColumnHead
      key={key}
      label={label}
      end={key !== 'product' && columnOf(key).end === true}
      sort={sort}
      current={filter.sort}
      onSort={onSort}
    />
  )
  return (
    <>
      {error !== null && (
        <div className={classes.error}>
          <ErrorCard error={error} onRetry={list.refetch} />
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
        style={template}
        onKeyDown={list.onKeyDown}
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
          {head(m.product, 'product', 'name')}
          {columns.map((key) => head(m[key], key, columnOf(key).sort))}
        </div>
        <div ref={list.body} role="rowgroup" className={classes.body} style={{ height: list.height }}>
          {list.lines.map(({ index, top, height }) => (
            <ProductRow
              key={index}
              index={index}
              row={rowAt(index)}
              columns={columns}
              top={top}
              height={height}
              tabStop={index === list.stop}
              selection={selection ? selection.rows.has(rowAt(index)?.id ?? '') : undefined}
              onChoose={(row, extend) => list.choose(index, row, extend)}
              onFocus={() => list.setActive(index)}
              onOpen={() => list.open(index)}
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

interface ColumnHeadProps {
  label: string
  end: boolean
  /** Undefined: the list cannot be sorted by it. */
  sort: ProductSortKey | undefined
  current: ProductSort
  onSort(sort: ProductSort): void
}

/** The name of a column; pressed, it sorts by it, pressed again, the other way. */
function ColumnHead({ label, end, sort, current, onSort }: ColumnHeadProps) {
  const direction = sort === undefined ? undefined : current === sort ? 'ascending' : current === `-${sort}` ? 'descending' : 'none'
  const Arrow = direction === 'descending' ? ArrowDown : ArrowUp
  return (
    <span role="columnheader" tabIndex={-1} className={end ? classes.end : undefined} aria-sort={direction}>
      {sort === undefined ? (
        label
      ) : (
        <button type="button" className={classes.sort} onClick={() => onSort(direction === 'ascending' ? `-${sort}` : sort)}>
          {label}
          <Arrow size={12} aria-hidden className={classes.arrow} data-shown={direction !== 'none' || undefined} />
        </button>
      )}
    </span>
  )
}
