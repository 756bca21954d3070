import { CsvError, parse } from 'csv-parse/sync'
import { BadRequestError } from './errors.ts'

export interface CsvTable {
  /** Names of the columns in lower case, in their order. */
  columns: string[]
  /** Each row by column, and the number of its last line; blanks around a value are cut. */
  rows: { line: number; values: Record<string, string> }[]
}

/**
 * Reads a CSV with a heading line (RFC 4180), as spreadsheets write it: with a byte order mark, and
 * with semicolons where the comma is decimal. Empty lines are left out; a row may lack cells at its
 * end. Throws BadRequestError `invalid_csv` with the line that cannot be read.
 */
export function parseCsv(text: string): CsvTable {
  const [heading = ''] = text.split(/[\r\n]/, 1)
  let columns: string[] = []
  try {
    const records = parse(text, {
      bom: true,
      delimiter: heading.includes(';') && !heading.includes(',') ? ';' : ',',
      columns(names: string[]) {
        columns = names.map((name) => name.trim().toLowerCase())
        return columns
      },
      info: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
    }) as unknown as { info: { lines: number }; record: Record<string, string> }[]
    return { columns, rows: records.map(({ info, record }) => ({ line: info.lines, values: record })) }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    throw new BadRequestError('invalid_csv', { line: Number(cause.lines) }, { cause })
  }
}
