/**
 * Escapes of a JSON text, each as a whole: an escaped backslash, a pair of surrogates; and
 * captured, a NUL or a lone surrogate.
 */
const ESCAPES = /\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))/g

/**
 * Returns JSON that jsonb accepts: NUL and lone surrogates, which JSON allows in strings and
 * PostgreSQL refuses, become U+FFFD. One such character in one row would otherwise fail the
 * statement for all of them.
 */
export function sanitizeForJsonb(raw: string): string {
  if (!/\\u(0000|[dD][89a-fA-F])|[\ud800-\udfff]/.test(raw)) return raw
  return raw.replace(ESCAPES, (found, refused) => (refused === undefined ? found : '\\ufffd')).toWellFormed()
}
