/** A cell that a spreadsheet takes for text, whatever it begins with. */
function cell(value: unknown): string {
  const text = String(value ?? '')
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Saves rows as a file, made here in the browser; the first row names the columns. */
export function downloadCsv(filename: string, rows: unknown[][]): void {
  const text = rows.map((row) => row.map(cell).join(',')).join('\r\n')
  // The mark makes spreadsheets read Arabic names as UTF-8.
  const address = URL.createObjectURL(new Blob([`\ufeff${text}\r\n`], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = address
  link.download = filename
  link.click()
  URL.revokeObjectURL(address)
}
