/**
 * JSON as jsonb takes it: NUL and half a surrogate pair, which JSON allows in texts and PostgreSQL refuses, become U+FFFD. One such character in one row
 * would otherwise fail the statement for all of them.
 */
export function forJsonb(raw: string): string {
  if (!/\\u(0000|[dD][89a-fA-F])|[\ud800-\udfff]/.test(raw)) return raw
  return raw
    .replace(/((?:^|[^\\])(?:\\\\)*)\\u0000/g, '$1\\ufffd')
    .replace(/(\\\\)|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, (found, backslash) =>
      backslash !== undefined || found.length > 6 ? found : '\\ufffd',
    )
    .toWellFormed()
}
