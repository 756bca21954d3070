/** Deeper bodies are useless here and need a deep stack to parse. */
const MAX_DEPTH = 20
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/**
 * Returns what `JSON.parse` accepts and zinc does not, in words; null when there is nothing. The
 * text must be valid JSON. Duplicate keys are read in one way here and in another elsewhere;
 * numbers beyond a double become Infinity; NUL and lone surrogates cannot be stored.
 */
export function findJsonIssue(text: string): string | null {
  // Some parsers skip the byte order mark at the beginning, some do not.
  if (text.startsWith('\uFEFF')) return 'it begins with a byte order mark'
  /** One entry per open bracket: the keys of an object, null for an array. */
  const open: (Set<string> | null)[] = []
  let keyNext = false
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (sign === '"') {
      const end = endOfString(text, at)
      const raw = text.slice(at, end + 1)
      const value = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
      if (value.includes('\0') || !value.isWellFormed()) return 'a text has a character that cannot be stored'
      const keys = open.at(-1)
      if (keys && keyNext) {
        if (keys.has(value)) return `the key ${JSON.stringify(value.slice(0, 100))} appears twice`
        keys.add(value)
        keyNext = false
      }
      at = end
    } else if (sign === '{' || sign === '[') {
      open.push(sign === '{' ? new Set() : null)
      if (open.length > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH}`
      keyNext = sign === '{'
    } else if (sign === '}' || sign === ']') {
      open.pop()
      keyNext = false
    } else if (sign === ',') keyNext = open.at(-1) instanceof Set
    else if (sign === '-' || (sign !== undefined && sign >= '0' && sign <= '9')) {
      NUMBER.lastIndex = at
      const digits = NUMBER.exec(text)?.[0] ?? sign
      if (!Number.isFinite(Number(digits))) return 'a number is too large'
      at += digits.length - 1
    }
  }
  return null
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
}
