import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useMemo, useRef, useState } from 'react'
import { type ProductFilter, queryOf } from './product-filter.ts'
import { type GridRow, readRows } from './use-product-blocks.ts'

/** As many as the API takes at once. */
export const SELECTION_MAX = 1_000

export interface Selection {
  rows: ReadonlyMap<string, GridRow>
  /** Chooses a row, or lets go of it; ranges begin here. */
  toggle(index: number, row: GridRow): void
  /** From where the last row was chosen up to this one, also through rows that are not in sight. */
  extendTo(index: number): Promise<void>
  /** All of the list, from its beginning, as far as the limit goes. */
  all(): Promise<void>
  clear(): void
}

const NONE: ReadonlyMap<string, GridRow> = new Map()
const upToLimit = (rows: Iterable<GridRow>) => new Map(Array.from(rows, (row) => [row.id, row] as const).slice(0, SELECTION_MAX))

/**
 * The chosen rows of a list. Another filter is another list: nothing stays chosen that is no longer
 * in sight.
 */
export function useSelection(filter: ProductFilter): Selection {
  const client = useQueryClient()
  const list = JSON.stringify(queryOf(filter))
  const [held, setHeld] = useState({ list, rows: NONE })
  const rows = held.list === list ? held.rows : NONE
  const anchor = useRef(0)
  const current = useRef({ list, filter })
  current.current = { list, filter }

  const change = useCallback((next: (rows: ReadonlyMap<string, GridRow>) => ReadonlyMap<string, GridRow>) => {
    setHeld((before) => ({ list: current.current.list, rows: next(before.list === current.current.list ? before.rows : NONE) }))
  }, [])
  const add = useCallback(
    async (from: number, to: number) => {
      const asked = current.current
      const read = await readRows(client, asked.filter, from, Math.min(to, from + SELECTION_MAX - 1))
      if (current.current.list === asked.list) change((before) => upToLimit([...before.values(), ...read]))
    },
    [change, client],
  )
  return useMemo(
    () => ({
      rows,
      toggle(index, row) {
        anchor.current = index
        change((before) => {
          const next = new Map(before)
          if (!next.delete(row.id) && next.size < SELECTION_MAX) next.set(row.id, row)
          return next
        })
      },
      extendTo: (index) => add(Math.min(anchor.current, index), Math.max(anchor.current, index)),
      all: () => add(0, SELECTION_MAX - 1),
      clear: () => change(() => NONE),
    }),
    [rows, change, add],
  )
}
