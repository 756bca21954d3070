import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BOOKS_MODULES, type BooksModule } from '../../facts/books-modules.ts'
import { InvalidFileError, readJsonArray } from '../../lib/json-array.ts'
import { REPORT_IDS, type RecordComparison, type SessionComparison } from '../../schemas/pulls.ts'
import { Id, parseZohoJson } from '../../zoho/value-types.ts'
import { exists } from './find-sessions.ts'
import { shortHash } from './inspect-file.ts'

const limited = (ids: string[]) => ({ count: ids.length, ids: ids.slice(0, REPORT_IDS) })

interface Side {
  session: string
  stamp: string
  root: string
}

const fileOf = ({ root, stamp }: Side, module: BooksModule) => join(root, 'raw_json', stamp, `${module.name}.json`)

/** Id and hash of each record of one file; null when the file does not exist. */
async function hashes(side: Side, module: BooksModule): Promise<Map<string, string> | null> {
  const path = fileOf(side, module)
  if (!(await exists(path))) return null
  const found = new Map<string, string>()
  try {
    for await (const texts of readJsonArray(path)) {
      for (const text of texts) {
        const id = Id.safeParse(parseZohoJson(text)?.[module.idField]).data
        if (id !== undefined) found.set(id, shortHash(text))
      }
    }
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error // the readable part is compared
  }
  return found
}

/** Compares two sessions' records, module by module. */
export async function compareSessions(a: Side, b: Side): Promise<SessionComparison> {
  const modules: SessionComparison['modules'] = []
  for (const module of BOOKS_MODULES) {
    const [inA, inB] = await Promise.all([hashes(a, module), hashes(b, module)])
    if (!inA && !inB) continue
    if (!inA || !inB) {
      // A module that one of the sessions did not pull cannot be compared: missing is not deleted.
      const none = limited([])
      modules.push({
        module: module.name,
        records: { a: inA?.size ?? null, b: inB?.size ?? null },
        only_a: none,
        only_b: none,
        changed: none,
        same: 0,
      })
      continue
    }
    const of = { a: inA, b: inB }
    const both = [...of.a.keys()].filter((id) => of.b.has(id))
    const changed = both.filter((id) => of.a.get(id) !== of.b.get(id))
    modules.push({
      module: module.name,
      records: { a: of.a.size, b: of.b.size },
      only_a: limited([...of.a.keys()].filter((id) => !of.b.has(id))),
      only_b: limited([...of.b.keys()].filter((id) => !of.a.has(id))),
      changed: limited(changed),
      same: both.length - changed.length,
    })
  }
  return { a: a.session, b: b.session, modules }
}

/** Compares one record of two sessions, field by field. */
export async function compareRecord(a: Side, b: Side, { module, id }: { module: BooksModule; id: string }): Promise<RecordComparison> {
  const [inA, inB] = await Promise.all([recordOf(a, module, id), recordOf(b, module, id)])
  const names = [...new Set([...Object.keys(inA ?? {}), ...Object.keys(inB ?? {})])]
  const fields = names
    .map((field) => ({ field, a: inA?.[field] ?? null, b: inB?.[field] ?? null }))
    .filter((it) => !isDeepStrictEqual(it.a, it.b))
  return { in_a: inA !== null, in_b: inB !== null, fields }
}

async function recordOf(side: Side, module: BooksModule, id: string): Promise<Record<string, unknown> | null> {
  const path = fileOf(side, module)
  if (!(await exists(path))) return null
  try {
    for await (const texts of readJsonArray(path))
      for (const text of texts) {
        const record = parseZohoJson(text)
        if (record && Id.safeParse(record[module.idField]).data === id) return record
      }
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error // as above
  }
  return null
}
