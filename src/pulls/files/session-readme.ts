import type { Manifest, SessionInfo } from '../../schemas/pulls.ts'

/** Returns the README for people who open the folder. */
export function sessionReadme(info: SessionInfo, manifest: Manifest): string {
  const raw = `raw_json/${info.stamp}`
  const rows = info.modules.map((it) => {
    const holds = it.mode === 'full' ? 'the whole module' : it.mode === 'since' ? `modified since ${it.since}` : `changed since ${it.since}`
    const failed = it.state === 'failed' ? `**failed**: ${it.error?.message ?? ''}` : holds
    return `| ${it.module} | ${it.records} | ${it.line_items ?? '–'} | ${failed.replaceAll('|', '\\|').replaceAll('\n', ' ')} |`
  })
  return `# ${info.session}

Pulled from Zoho ${info.app === 'books' ? 'Books' : 'Invoice'}, organization ${info.organization_id}.
Began ${info.started_at}, ended ${info.finished_at ?? '–'}. Status: **${info.status}**${info.status === 'incomplete' ? ': a module failed; its watermark stays where it was, and the next pull tries it again' : ''}.

| module | records | line items | holds |
|---|---|---|---|
${rows.join('\n')}

- \`${raw}/{module}.json\`: an array of records as Zoho sent them, one a line. Ids are texts, money keeps its digits.
- \`${raw}/{module}_line_items.json\`: each line with the id of its document in front (\`invoice_id\`, \`bill_id\` …).
${info.line_items ? '' : '- Pulled without line items: the five modules that have them hold list rows.\n'}- \`manifest.json\`: rows, bytes and SHA-256 of each file (${manifest.files.length} files). \`session_info.json\` and \`reports/session_summary.json\`: what, when, since when, how many, what failed.

A file that does not hold the whole module goes on top of those of earlier sessions, by id. The newest state in one piece:
\`npx zinc export invoices -o invoices.json\`. Whether all is there and right: \`npx zinc verify -s ${info.session}\`.
How to read the data, in SQL, over HTTP, in TypeScript, Python and jq: \`docs/data-guide.md\` of zinc.
`
}
