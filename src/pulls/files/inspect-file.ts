import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { BooksModule } from '../../facts/books-modules.ts'
import { InvalidFileError, readJsonArray } from '../../lib/json-array.ts'
import type { Message } from '../../messages/message.ts'
import { message, partInEnglish } from '../../messages/say.ts'
import { Id, instantIn, parseZohoJson } from '../../zoho/value-types.ts'
import { checkTotals, type TotalsMismatch } from '../verify/check-totals.ts'
import { toAmount } from '../verify/decimal.ts'
import type { ModuleSource } from './find-sessions.ts'
import type { WrittenFile } from './json-array-writer.ts'

/**
 * What is kept in memory of a file's record during a check: little, since there may be a hundred
 * thousand of them.
 */
export interface FileRecord {
  /** Of its text. */
  hash: string
  /** Of its line items' texts, in order; "" without line items. */
  linesHash: string
  modified: number | null
  amount: bigint | null
  currency: string
  /** Index in the chain of the file with its newest version. */
  holder: number
}

export interface FileProblem {
  file: string
  ok: boolean
  /** In English; `finding` is the same for other languages. */
  problem: string | null
  finding: Message | null
}

/** A module as its files have it, merged to the newest state. */
export interface FileState {
  records: Map<string, FileRecord>
  files: FileProblem[]
  duplicates: Set<string>
  /**
   * Indexes in the chain of files that must be written again in any case: damaged, or with a record
   * twice.
   */
  damaged: Set<number>
  lines: { checked: number; rows: number; wrong: Map<string, TotalsMismatch> } | null
}

export const shortHash = (text: string): string => hash('sha1', text, 'base64')
const addHash = (before: string, text: string): string => shortHash(before + text)

/** Returns the hash of a document's lines, computed like that of the lines in files. */
export const hashOfLines = (lines: string[]): string => lines.reduce(addHash, '')

interface Lines {
  sum: bigint
  count: number
  hash: string
}

/**
 * Reads every file of a chain once, newest first, in memory that grows with the number of records,
 * not with their size.
 */
export async function readFileState(
  module: BooksModule,
  chain: ModuleSource[],
  { timeZone, signal }: { timeZone: string; signal: AbortSignal },
): Promise<FileState> {
  const state: FileState = { records: new Map(), files: [], duplicates: new Set(), damaged: new Set(), lines: null }
  for (const [place, source] of chain.entries()) {
    const lines = source.linesFile ? await readLines(module, source, place, state, signal) : null
    await readDocuments(module, source, place, { state, lines, timeZone, signal })
  }
  return state
}

/** Yields each record's text of a file, and whether the file matches its manifest. */
async function* readChecked(
  { source, file }: { source: ModuleSource['source']; file: string },
  place: number,
  { state, signal }: { state: FileState; signal: AbortSignal },
): AsyncGenerator<string> {
  const reported = source.manifest?.files.find((it) => it.file === file)
  const label = join(source.session ?? source.stamp, file)
  const problem = (finding: Message) => {
    state.files.push({ file: label, ok: false, problem: partInEnglish(finding), finding })
    state.damaged.add(place)
  }
  let whole: WrittenFile
  try {
    const reading = readJsonArray(join(source.root, file))
    for (;;) {
      signal.throwIfAborted()
      const next = await reading.next()
      if (next.done) {
        whole = next.value
        break
      }
      yield* next.value
    }
  } catch (error) {
    if (error instanceof InvalidFileError) return problem(error.finding)
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return problem(message('file.missing'))
    throw error
  }
  if (source.about !== null && !source.manifest) return problem(message('file.no_manifest'))
  if (source.manifest && !reported) return problem(message('file.not_listed'))
  if (reported && whole.sha256 !== reported.sha256)
    return problem(
      message('file.changed', {
        rows: whole.rows,
        bytes: whole.bytes,
        manifest_rows: reported.rows,
        manifest_bytes: reported.bytes,
      }),
    )
  state.files.push({ file: label, ok: true, problem: null, finding: null })
}

async function readLines(
  module: BooksModule,
  source: ModuleSource,
  place: number,
  state: FileState,
  signal: AbortSignal,
): Promise<Map<string, Lines>> {
  const found = new Map<string, Lines>()
  state.lines ??= { checked: 0, rows: 0, wrong: new Map() }
  for await (const text of readChecked({ source: source.source, file: source.linesFile! }, place, { state, signal })) {
    const line = parseZohoJson(text)
    const parent = Id.safeParse(line?.[module.idField]).data
    if (!line || parent === undefined) {
      state.damaged.add(place)
      continue
    }
    const before = found.get(parent)
    found.set(parent, {
      sum: (before?.sum ?? 0n) + (toAmount(line.item_total) ?? 0n),
      count: (before?.count ?? 0) + 1,
      hash: addHash(before?.hash ?? '', text),
    })
  }
  return found
}

async function readDocuments(
  module: BooksModule,
  source: ModuleSource,
  place: number,
  { state, lines, timeZone, signal }: { state: FileState; lines: Map<string, Lines> | null; timeZone: string; signal: AbortSignal },
): Promise<void> {
  const here = new Set<string>()
  for await (const text of readChecked(source, place, { state, signal })) {
    const record = parseZohoJson(text)
    const id = Id.safeParse(record?.[module.idField]).data
    if (!record || id === undefined) {
      state.damaged.add(place)
      continue
    }
    if (here.has(id)) {
      state.duplicates.add(id)
      state.damaged.add(place)
    }
    here.add(id)
    const ofDocument = lines?.get(id)
    lines?.delete(id)
    if (state.records.has(id)) continue // a newer file has it
    state.records.set(id, {
      hash: shortHash(text),
      linesHash: ofDocument?.hash ?? '',
      modified: instantIn(timeZone).safeParse(record.last_modified_time).data?.getTime() ?? null,
      amount: module.amount === null ? null : toAmount(record[module.amount]),
      currency: typeof record.currency_code === 'string' ? record.currency_code : '',
      holder: place,
    })
    if (lines && state.lines) {
      const wrong = checkTotals(record, ofDocument ?? { sum: 0n, count: 0 })
      state.lines.checked++
      state.lines.rows += ofDocument?.count ?? 0
      if (wrong) state.lines.wrong.set(id, wrong)
    }
  }
  // Line items whose document is not in the file next to them.
  for (const id of lines?.keys() ?? []) {
    state.damaged.add(place)
    const finding = message('file.lines_alone', { id })
    state.files.push({
      file: join(source.source.session ?? source.source.stamp, source.linesFile!),
      ok: false,
      problem: partInEnglish(finding),
      finding,
    })
    break
  }
}
