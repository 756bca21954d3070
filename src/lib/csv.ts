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

export interface CsvTable {
  /** Names of the columns in lower case, in their order. */
  columns: string[]
  /** Each row by column with the number of its line; blanks around a value are cut. */
  rows: { line: number; values: Record<string, string> }[]
}

/**
 * Reads a CSV with a heading line (RFC 4180), as spreadsheets write it: with a byte order mark, and
 * with semicolons where the comma is decimal. Empty lines are left out.
 */
export function parseCsv(text: string): CsvTable {
  const plain = text.replace(/^\uFEFF/, '')
  const heading = plain.slice(0, plain.search(/[\r\n]|$/))
  const lines = splitCsv(plain, heading.includes(';') && !heading.includes(',') ? ';' : ',')
  const columns = (lines.shift()?.cells ?? []).map((name) => name.trim().toLowerCase())
  const rows = lines.map(({ line, cells }) => ({
    line,
    values: Object.fromEntries(columns.map((name, n) => [name, (cells[n] ?? '').trim()])),
  }))
  return { columns, rows: rows.filter(({ values }) => Object.values(values).some((value) => value !== '')) }
}

function splitCsv(text: string, separator: string): { line: number; cells: string[] }[] {
  const lines: { line: number; cells: string[] }[] = []
  let cells: string[] = []
  let cell = ''
  let quoted = false
  let line = 1
  let begun = 1
  const endLine = () => {
    lines.push({ line: begun, cells: [...cells, cell] })
    cells = []
    cell = ''
    begun = line
  }
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!
    if (sign === '\n') line++
    if (quoted) {
      if (sign !== '"') cell += sign
      else if (text[at + 1] === '"') cell += text[++at]
      else quoted = false
    } else if (sign === '"' && cell.trim() === '') {
      cell = ''
      quoted = true
    } else if (sign === separator) {
      cells.push(cell)
      cell = ''
    } else if (sign === '\n') endLine()
    else if (sign !== '\r') cell += sign
  }
  if (cell !== '' || cells.length > 0) endLine()
  return lines
}
