import type { Db } from '../../database/client.ts'
import type { BooksModule } from '../../facts/books-modules.ts'
import type { Message } from '../../messages/message.ts'
import { around, inEnglish, message, messageOf, partInEnglish } from '../../messages/say.ts'
import type { ModuleReport } from '../../schemas/pulls.ts'
import { REPORT_IDS } from '../../schemas/pulls.ts'
import { type BooksRow, walkBooks } from '../../zoho/books.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import type { ModuleScope } from '../checkpoint.ts'
import type { ModuleSource } from '../files/find-sessions.ts'
import { type FileState, hashOfLines, shortHash } from '../files/inspect-file.ts'
import { partDocument } from '../phases/write-files.ts'
import { fromAmount, toAmount } from './decimal.ts'
import { type Candidates, canonicalHash, semanticallyEqual } from './semantic-diff.ts'

/** What is kept in memory of a record that Zoho lists. */
export interface ListedRecord {
  modified: number | null
  amount: bigint | null
  currency: string
}
export type Listed = Map<string, ListedRecord>

/** Lists a module completely; `onRows` gets each page's rows, for example to save some of them. */
export async function listForVerify(
  zoho: ZohoClient,
  module: BooksModule,
  { scope, runId, onRows }: { scope: ModuleScope; runId: string; onRows(rows: BooksRow[]): Promise<void> },
  signal: AbortSignal,
): Promise<Listed> {
  const listed: Listed = new Map()
  for await (const { rows } of walkBooks(zoho, module, { app: scope.app, from: null, runId }, signal)) {
    for (const { id, modified, fields } of rows) {
      listed.set(id, {
        modified: modified?.getTime() ?? null,
        amount: module.amount === null ? null : toAmount(fields[module.amount]),
        currency: typeof fields.currency_code === 'string' ? fields.currency_code : '',
      })
    }
    await onRows(rows)
  }
  return listed
}

/** How the files differ from the database, which has each record's text as it was pulled. */
export interface DatabaseDifferences {
  missing: Set<string>
  extra: Set<string>
  altered: Set<string>
  /** Formatted differently (by a tool, in an editor), with the same meaning. */
  reformatted: Set<string>
}

const BATCH_ROWS = 200

interface DatabaseRow {
  record_id: string
  raw: string
  detailed: boolean
  pending: boolean
}

/**
 * Compares texts, record by record. Records that no file can have yet (changed by an unfinished
 * pull) are left out.
 */
export async function compareWithDatabase(
  db: Db,
  module: BooksModule,
  scope: ModuleScope,
  { state, chain }: { state: FileState; chain: ModuleSource[] },
): Promise<DatabaseDifferences> {
  const found: DatabaseDifferences = { missing: new Set(), extra: new Set(), altered: new Set(), reformatted: new Set() }
  const candidates: Candidates = new Map()
  const pull_count = (await db.pullModule.findUnique({ where: { app_module: scope } }))?.pull_count ?? 0
  let known = 0
  for (let after = ''; ; ) {
    const rows = await db.$queryRaw<DatabaseRow[]>`
      select record_id, coalesce(raw, data::text) as raw, detailed, (needs_detail or changed_in > ${pull_count}) as pending from zoho_record
      where app = ${scope.app} and module = ${scope.module} and deleted_at is null and record_id > ${after}
      order by record_id limit ${BATCH_ROWS}`
    for (const { record_id, raw, detailed, pending } of rows) {
      const record = state.records.get(record_id)
      if (!record) {
        if (!pending) found.missing.add(record_id)
        continue
      }
      known++
      if (pending) continue
      const { lineItems } = chain[record.holder]!
      // A list row in one and an earlier detail in the other: both are right.
      if (module.lineItems && detailed !== lineItems) continue
      const { document, lines } = lineItems ? partDocument(raw, module, record_id) : { document: raw, lines: [] }
      if (shortHash(document) === record.hash && (!lineItems || hashOfLines(lines) === record.linesHash)) continue
      candidates.set(record_id, { holder: record.holder, document: canonicalHash(document), lines: hashOfLines(lines.map(canonicalHash)) })
    }
    if (rows.length < BATCH_ROWS) break
    after = rows.at(-1)!.record_id
  }
  const same = candidates.size === 0 ? new Set<string>() : await semanticallyEqual(module, chain, candidates)
  for (const id of candidates.keys()) (same.has(id) ? found.reformatted : found.altered).add(id)
  if (known < state.records.size) {
    const ids = [...state.records.keys()]
    for (let at = 0; at < ids.length; at += 10_000) {
      const some = ids.slice(at, at + 10_000)
      const there = new Set(
        (
          await db.$queryRaw<{ record_id: string }[]>`
            select record_id from zoho_record where app = ${scope.app} and module = ${scope.module} and deleted_at is null and record_id = any(${some})`
        ).map((row) => row.record_id),
      )
      for (const id of some) if (!there.has(id)) found.extra.add(id)
    }
  }
  return found
}

/** What differs, by kind. */
export interface Differences {
  missing: string[]
  extra: string[]
  stale: string[]
  altered: string[]
}

/** `refreshed`: fetched after the list was read, so they may be newer than it. */
export function differencesOf(
  state: FileState,
  database: DatabaseDifferences,
  listed: Listed | null,
  refreshed: ReadonlySet<string> = new Set(),
): Differences {
  if (!listed) return { missing: [...database.missing], extra: [...database.extra], stale: [], altered: [...database.altered] }
  const missing: string[] = []
  const stale: string[] = []
  const altered = new Set(database.altered)
  for (const [id, there] of listed) {
    const here = state.records.get(id)
    if (!here) {
      missing.push(id)
      continue
    }
    // A list may lack the currency that the record itself has.
    if (there.currency === '') there.currency = here.currency
    if (refreshed.has(id)) continue
    else if (there.modified !== null && here.modified !== null && there.modified > here.modified) stale.push(id)
    else if (
      (there.modified !== null && here.modified !== null && there.modified < here.modified) ||
      there.amount !== here.amount ||
      (there.amount !== null && there.currency !== here.currency)
    )
      altered.add(id)
  }
  for (const id of stale) altered.delete(id)
  return { missing, extra: [...state.records.keys()].filter((id) => !listed.has(id)), stale, altered: [...altered] }
}

const limited = (ids: string[]) => ({ count: ids.length, ids: ids.slice(0, REPORT_IDS) })

function totalsOf(state: FileState, listed: Listed | null): ModuleReport['totals'] {
  const sumUp = (records: Iterable<ListedRecord>) => {
    const sums = new Map<string, bigint>()
    for (const { currency, amount } of records) if (amount !== null) sums.set(currency, (sums.get(currency) ?? 0n) + amount)
    return sums
  }
  const here = sumUp(state.records.values())
  const there = listed && sumUp(listed.values())
  const currencies = [...new Set([...here.keys(), ...(there?.keys() ?? [])])].sort()
  return currencies.map((currency) => {
    const files = here.get(currency) ?? 0n
    const api = there && (there.get(currency) ?? 0n)
    return { currency, files: fromAmount(files), api: api === null ? null : fromAmount(api), ok: api === null || api === files }
  })
}

type CountedFinding =
  `verify.${'missing' | 'missing_database' | 'extra' | 'extra_database' | 'stale' | 'altered' | 'duplicates' | 'line_items'}`

/** Returns the report of one module, with its texts for people. */
export function reportOf(
  module: BooksModule,
  { state, differences, listed, chain }: { state: FileState; differences: Differences; listed: Listed | null; chain: ModuleSource[] },
): ModuleReport {
  const findings: Message[] = []
  const { missing, extra, stale, altered } = differences
  const totals = totalsOf(state, listed)
  if (chain.length === 0 && (listed === null || listed.size > 0)) findings.push(message('verify.no_file', { module: module.name }))
  else if (state.records.size === 0 && (listed?.size ?? 0) > 0)
    findings.push(message('verify.empty', { module: module.name, records: listed!.size }))
  for (const { file, finding } of state.files)
    if (finding) findings.push(messageOf(around(inEnglish(finding), 'around.about', { about: file })))
  const count = (ids: string[] | Set<string>, key: CountedFinding) => {
    const [id] = ids
    if (id !== undefined) findings.push(message(key, { count: Array.isArray(ids) ? ids.length : ids.size, id }))
  }
  count(missing, listed ? 'verify.missing' : 'verify.missing_database')
  count(extra, listed ? 'verify.extra' : 'verify.extra_database')
  count(stale, 'verify.stale')
  count(altered, 'verify.altered')
  count(state.duplicates, 'verify.duplicates')
  for (const it of totals)
    if (!it.ok)
      findings.push(message('verify.totals', { amount: module.amount ?? '', currency: it.currency, files: it.files, api: it.api ?? '' }))
  const wrong = state.lines?.wrong ?? new Map()
  count([...wrong.keys()], 'verify.line_items')
  if (state.damaged.size > 0 && findings.length === 0) findings.push(message('verify.record'))
  return {
    module: module.name,
    ok: findings.length === 0,
    problems: findings.map(partInEnglish),
    findings,
    records: state.records.size,
    api_records: listed?.size ?? null,
    missing: limited(missing),
    extra: limited(extra),
    stale: limited(stale),
    altered: limited(altered),
    duplicates: limited([...state.duplicates]),
    totals,
    line_items: state.lines && {
      checked: state.lines.checked,
      rows: state.lines.rows,
      wrong: { count: wrong.size, documents: [...wrong].slice(0, REPORT_IDS).map(([id, it]) => ({ id, ...it })) },
    },
    files: state.files,
    repaired: null,
  }
}
