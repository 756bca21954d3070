import type { IntegrityFinding } from '../../../schemas/media.ts'
import { downloadCsv } from '../../components/csv.ts'

/** Saves the findings as a file. */
export function downloadFindings(findings: IntegrityFinding[]): void {
  const rows = findings.map(({ kind, sha256, size, repair, products }) => [
    kind,
    sha256,
    size,
    repair,
    products.map(({ sku, id }) => sku ?? id).join(' '),
  ])
  downloadCsv('image-integrity.csv', [['finding', 'sha256', 'bytes', 'repair', 'products'], ...rows])
}
