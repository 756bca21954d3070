/** Escapes of a JSON text, each as a whole: a backslash that stands for itself, a pair of surrogates; and alone, a NUL or half of a pair. */
const ESCAPES = /\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))/g

/**
 * JSON as jsonb takes it: NUL and half a surrogate pair, which JSON allows in texts and PostgreSQL refuses, become U+FFFD. One such character in one row
 * would otherwise fail the statement for all of them.
 */
export function sanitizeForJsonb(raw: string): string {
  if (!/\\u(0000|[dD][89a-fA-F])|[\ud800-\udfff]/.test(raw)) return raw
  return raw.replace(ESCAPES, (found, refused) => (refused === undefined ? found : '\\ufffd')).toWellFormed()
}
