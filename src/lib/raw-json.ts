/**
 * Parts of a JSON text as they were written: JSON.parse rounds ids beyond 2^53, turns 1.50 into 1.5
 * and reorders keys that look like numbers. The text must have been parsed before, so it is known
 * to be valid JSON; the functions here then only scan it.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c

const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

function skipSpace(text: string, at: number): number {
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

/** The index after the string that begins at `at`. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end + 1
  }
  return text.length
}

/** The index after the value that begins at `at`. */
function endOfValue(text: string, at: number): number {
  const first = text.charCodeAt(at)
  if (first === QUOTE) return endOfString(text, at)
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code)) break
    }
    return at
  }
  for (let depth = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at) - 1
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return at + 1
  }
  return at
}

export interface Member {
  key: string
  /** Index of the key's opening quote. */
  start: number
  /** Index of the value. */
  valueStart: number
  end: number
}

/** Yields the members of the object in the text, in their order. */
export function* members(object: string): Generator<Member> {
  let at = skipSpace(object, 0) + 1
  for (;;) {
    at = skipSpace(object, at)
    if (at >= object.length || object.charCodeAt(at) === CLOSE_BRACE) return
    const start = at
    at = endOfString(object, at)
    const key: string = JSON.parse(object.slice(start, at))
    const valueStart = skipSpace(object, skipSpace(object, at) + 1)
    const end = endOfValue(object, valueStart)
    yield { key, start, valueStart, end }
    at = skipSpace(object, end) + 1 // the comma, or past the closing brace
    if (object.charCodeAt(at - 1) !== COMMA) return
  }
}

/**
 * Returns the value of one member as it was written; undefined when there is none. Of two with the
 * same name the later counts, as in JSON.parse.
 */
export function rawMember(object: string, key: string): string | undefined {
  let found: string | undefined
  for (const member of members(object)) if (member.key === key) found = object.slice(member.valueStart, member.end)
  return found
}

/** Returns the elements of the array in the text, each as it was written. */
export function rawElements(array: string): string[] {
  const found: string[] = []
  let at = skipSpace(array, 0) + 1
  for (;;) {
    at = skipSpace(array, at)
    if (at >= array.length || array.charCodeAt(at) === CLOSE_BRACKET) return found
    const end = endOfValue(array, at)
    found.push(array.slice(at, end))
    at = skipSpace(array, end) + 1
  }
}

/** Returns the object without the members of that name; everything else is unchanged. */
export function withoutMember(object: string, key: string): string {
  let left = object
  for (;;) {
    let before: Member | undefined
    let found: Member | undefined
    for (const member of members(left)) {
      if (member.key === key) {
        found = member
        break
      }
      before = member
    }
    if (!found) return left
    if (before) left = left.slice(0, before.end) + left.slice(found.end)
    else {
      const after = skipSpace(left, found.end)
      left = left.slice(0, found.start) + left.slice(left.charCodeAt(after) === COMMA ? skipSpace(left, after + 1) : after)
    }
  }
}

/** Returns the object with this string member first, replacing one of that name. */
export function withFirstMember(object: string, key: string, value: string): string {
  const rest = withoutMember(object, key)
  const at = skipSpace(rest, 0) + 1
  const empty = rest.charCodeAt(skipSpace(rest, at)) === CLOSE_BRACE
  return `${rest.slice(0, at)}${JSON.stringify(key)}:${JSON.stringify(value)}${empty ? '' : ','}${rest.slice(at)}`
}

/** Returns all members of the object, each value as it was written. */
export function rawMembers(object: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const { key, valueStart, end } of members(object)) found.set(key, object.slice(valueStart, end))
  return found
}
