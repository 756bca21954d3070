import { join } from 'node:path'
import { BOOKS_MODULES, type BooksModule } from '../../facts/books-modules.ts'
import { InvalidFileError, readJsonArray } from '../../lib/json-array.ts'
import { REPORT_IDS, type SessionComparison } from '../../schemas/pulls.ts'
import { Id, parseZohoJson } from '../../zoho/value-types.ts'
import { exists } from './find-sessions.ts'
import { shortHash } from './inspect-file.ts'

const limited = (ids: string[]) => ({ count: ids.length, ids: ids.slice(0, REPORT_IDS) })

/** Id and hash of each record of one file; null when the file does not exist. */
async function hashes(root: string, stamp: string, module: BooksModule): Promise<Map<string, string> | null> {
  const path = join(root, 'raw_json', stamp, `${module.name}.json`)
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
export async function compareSessions(
  a: { session: string; stamp: string; root: string },
  b: { session: string; stamp: string; root: string },
): Promise<SessionComparison> {
  const modules: SessionComparison['modules'] = []
  for (const module of BOOKS_MODULES) {
    const [inA, inB] = await Promise.all([hashes(a.root, a.stamp, module), hashes(b.root, b.stamp, module)])
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
