const DOTS = '••••'
/** The last four characters would reveal too much of a shorter secret. */
const SHORTEST_HINT = 9

/** Returns what may be shown of a secret: enough to recognise it, too little to use it. */
export const mask = (secret: string | null | undefined): string | null =>
  secret === null || secret === undefined || secret === '' ? null : `${DOTS}${secret.length < SHORTEST_HINT ? '' : secret.slice(-4)}`

/** A mask that a page sent back: never a value. */
export const isMasked = (value: string): boolean => value.startsWith(DOTS)
