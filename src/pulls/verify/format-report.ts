import type { VerifyReport } from '../../schemas/pulls.ts'

/** Returns a report for people: what was compared with what, what differs, and what to do next. */
export function reportText(report: VerifyReport): string {
  const lines = [
    `${report.session ?? 'pulled files'}, checked ${report.checked_at} against ${report.quick ? 'the database and the manifests (no call to Zoho)' : `Zoho (${report.api_calls} calls)`}`,
    '',
  ]
  for (const it of report.modules) {
    const count = it.api_records === null ? `${it.records} records` : `${it.records} records, ${it.api_records} in Zoho`
    const sums = it.totals.map((sum) => `${sum.files} ${sum.currency}`).join(', ')
    const items = it.line_items ? `, ${it.line_items.rows} line items of ${it.line_items.checked} documents` : ''
    lines.push(`${it.ok ? 'ok     ' : 'DIFFERS'}  ${it.module.padEnd(17)} ${count}${items}${sums ? `; ${sums}` : ''}`)
    for (const problem of it.problems) lines.push(`           ${problem}`)
    for (const document of it.line_items?.wrong.documents.slice(0, 5) ?? []) lines.push(`             ${document.id}: ${document.reason}`)
    if (it.repaired)
      lines.push(
        `           repaired: ${it.repaired.fetched} fetched, ${it.repaired.removed} removed, files of ${it.repaired.files} pulls written anew`,
      )
  }
  lines.push(
    '',
    report.ok
      ? 'All is there and right.'
      : report.repair
        ? 'Some of it is still not right.'
        : 'Something differs. `zinc verify --repair` fetches just that.',
  )
  return `${lines.join('\n')}\n`
}
