/** What a spreadsheet would run as a formula. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
const NUMBER = /^[+-]?\d+(\.\d+)?$/

/**
 * Returns one line of a CSV (RFC 4180). A text that a spreadsheet would run as a formula gets an
 * apostrophe in front; JSON is the exact form.
 */
export function formatCsvRow(values: readonly unknown[]): string {
  return `${values
    .map((value) => {
      const text = value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
      const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text
      return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
    })
    .join(',')}\r\n`
}
