const DOTS = '••••'
/** A shorter secret would be half told by its last four characters. */
const SHORTEST_HINT = 9

/** What of a secret may leave zinc: enough to recognise it, nothing to use. */
export const mask = (secret: string | null | undefined): string | null =>
  secret === null || secret === undefined || secret === '' ? null : `${DOTS}${secret.length < SHORTEST_HINT ? '' : secret.slice(-4)}`

/** A mask that a page sent back: never a value. */
export const isMasked = (value: string): boolean => value.startsWith(DOTS)
