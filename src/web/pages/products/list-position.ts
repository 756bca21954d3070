/**
 * Where the reader was in the list when a product was opened. Kept for the way back, in this tab
 * only.
 */
interface Position {
  /** The query string of the list. */
  search: string
  index: number
  scrollY: number
}

let saved: Position | null = null

export const saveScroll = (position: Position): void => {
  saved = position
}

/** The address of the list as it was left. */
export const listAddress = (): string => (saved?.search ? `/products?${saved.search}` : '/products')

/** Answers the position once, and only for the same list. */
export function restoreScroll(search: string): Position | null {
  const position = saved?.search === search ? saved : null
  saved = null
  return position
}
