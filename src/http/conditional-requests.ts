/** Whether one of the tags in If-None-Match is this one; compared weakly (RFC 9110 §13.1.2). */
export function matchesIfNoneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}

/** Whether If-Match names only other contents; compared strongly (RFC 9110 §13.1.1). */
export function failsIfMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined || header.trim() === '*') return false
  return !header.split(',').some((tag) => tag.trim() === etag)
}

export type RangeResponse = { kind: 'whole' } | { kind: 'part'; start: number; end: number } | { kind: 'unsatisfiable' }

/**
 * Returns the range that a Range header requests of a body of `size` bytes (RFC 9110 §14). Invalid
 * syntax and several ranges return the whole body, as the RFC allows. With If-Range, only a strong
 * tag equal to ours keeps the range.
 */
export function readRange(
  range: string | undefined,
  ifRange: string | undefined,
  { size, etag }: { size: number; etag: string },
): RangeResponse {
  const match = range === undefined ? null : /^bytes=(\d*)-(\d*)$/i.exec(range.trim())
  if (!match || (match[1] === '' && match[2] === '') || (ifRange !== undefined && ifRange.trim() !== etag)) return { kind: 'whole' }
  const [, first = '', last = ''] = match
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: size - length, end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return { kind: 'whole' }
  if (start >= size) return { kind: 'unsatisfiable' }
  return { kind: 'part', start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}
