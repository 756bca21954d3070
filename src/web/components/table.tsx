import type { ReactNode } from 'react'
import classes from './table.module.css'

export interface Column<Row> {
  key: string
  header: string
  cell(row: Row): ReactNode
  /** Figures stand at the end of their column. */
  end?: boolean
  /** Only on wide screens: what the row's own page says, too. */
  secondary?: boolean
}

interface TableProps<Row> {
  /** For screen readers: what the rows are. */
  label: string
  columns: Column<Row>[]
  rows: Row[]
  rowKey(row: Row): string
}

/**
 * A table that becomes a list of cards on small screens; the first column is each card's head.
 * Roles are named since `display` takes them away.
 */
export function Table<Row>({ label, columns, rows, rowKey }: TableProps<Row>) {
  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: a table that is laid out as a grid loses its own roles in some browsers
    <table className={classes.table} aria-label={label} role="table">
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) =>
            column.header === '' ? (
              // A column of buttons: its cells say what they do.
              <td key={column.key} role="cell" data-secondary={column.secondary} />
            ) : (
              <th key={column.key} scope="col" role="columnheader" data-end={column.end} data-secondary={column.secondary}>
                {column.header}
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={rowKey(row)} role="row">
            {columns.map((column, index) => (
              <td
                key={column.key}
                role="cell"
                data-first={index === 0 || undefined}
                data-end={column.end}
                data-secondary={column.secondary}
              >
                {index > 0 && column.header !== '' && (
                  <span className={classes.label} aria-hidden>
                    {column.header}
                  </span>
                )}
                <span className={classes.value}>{column.cell(row)}</span>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
    // biome-ignore-end lint/a11y/noRedundantRoles: see above
  )
}
