import type { IntegrityFinding } from '../../../contract/media.ts'

/** A cell that a spreadsheet takes for text, whatever it begins with. */
function cell(value: unknown): string {
  const text = String(value ?? '')
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Saves the findings as a file, made here in the browser. */
export function downloadCsv(findings: IntegrityFinding[]): void {
  const rows = findings.map(({ kind, sha256, size, repair, products }) => [
    kind,
    sha256,
    size,
    repair,
    products.map(({ sku, id }) => sku ?? id).join(' '),
  ])
  const text = [['finding', 'sha256', 'bytes', 'repair', 'products'], ...rows].map((row) => row.map(cell).join(',')).join('\r\n')
  const address = URL.createObjectURL(new Blob([`\ufeff${text}\r\n`], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = address
  link.download = 'picture-integrity.csv'
  link.click()
  URL.revokeObjectURL(address)
}
