/** Where the reader was in the list when a product was opened. Kept for the way back, in this tab only. */
interface Position {
  /** The query string of the list. */
  search: string
  index: number
  scrollY: number
}

let kept: Position | null = null

export const keepPosition = (position: Position): void => {
  kept = position
}

/** The address of the list as it was left. */
export const listAddress = (): string => (kept?.search ? `/products?${kept.search}` : '/products')

/** Answers the position once, and only for the same list. */
export function takePosition(search: string): Position | null {
  const position = kept?.search === search ? kept : null
  kept = null
  return position
}
