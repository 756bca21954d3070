import { formatCsvRow } from '../../lib/format-csv.ts'

/** Saves rows as a file, made here in the browser; the first row names the columns. */
export function downloadCsv(filename: string, rows: unknown[][]): void {
  // The mark makes spreadsheets read Arabic names as UTF-8.
  const url = URL.createObjectURL(new Blob(['\ufeff', ...rows.map(formatCsvRow)], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = url
  link.download = filename
  link.click()
  URL.revokeObjectURL(url)
}
