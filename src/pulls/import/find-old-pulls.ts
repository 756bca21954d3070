import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { BOOKS_MODULES, type BooksModule } from '../../facts/books-modules.ts'
import { BadRequestError } from '../../lib/errors.ts'
import { isStamp, stampOfSession } from '../files/paths.ts'

/** One pull of a predecessor: a folder `raw_json/<stamp>`, in a session folder or alone. */
export interface OldPull {
  stamp: string
  /** The session folder around it; null without one. */
  session: string | null
  folder: string
  modules: { module: BooksModule; file: string; linesFile: string | null }[]
  /** Files that are no module of Books. */
  others: string[]
}

/** How deep stamps are searched: `data/sync_sessions/<session>/raw_json/<stamp>`. */
const DEPTH = 4

/**
 * Finds the pulls below a folder, or the one that the folder is, oldest first. Throws
 * BadRequestError `no_such_folder`, `no_old_pulls`.
 */
export async function findOldPulls(given: string): Promise<OldPull[]> {
  const root = resolve(given)
  if (!(await stat(root).catch(() => null))?.isDirectory()) throw new BadRequestError('no_such_folder', { directory: given })
  const pulls: OldPull[] = []
  const search = async (folder: string, depth: number): Promise<void> => {
    if (isStamp(basename(folder))) {
      pulls.push(await readPull(folder))
      return
    }
    if (depth === 0) return
    const entries = await readdir(folder, { withFileTypes: true })
    for (const entry of entries) if (entry.isDirectory() && !entry.name.startsWith('.')) await search(join(folder, entry.name), depth - 1)
  }
  await search(root, DEPTH)
  if (pulls.every((it) => it.modules.length === 0)) throw new BadRequestError('no_old_pulls', { directory: given })
  // The stamp of two folders may be the same; the one in a session has more about the pull.
  return pulls
    .filter((it) => it.modules.length > 0)
    .sort((a, b) => (a.stamp < b.stamp ? -1 : a.stamp > b.stamp ? 1 : a.session === null ? -1 : 1))
}

async function readPull(folder: string): Promise<OldPull> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((it) => it.isFile() && !it.name.startsWith('.'))
    .map((it) => it.name)
  const modules = BOOKS_MODULES.filter((module) => names.includes(`${module.name}.json`)).map((module) => {
    const linesFile = `${module.name}_line_items.json`
    return { module, file: `${module.name}.json`, linesFile: module.lineItems && names.includes(linesFile) ? linesFile : null }
  })
  const taken = new Set(modules.flatMap((it) => [it.file, it.linesFile]))
  const session = dirname(dirname(folder))
  const inSession = basename(dirname(folder)) === 'raw_json' && stampOfSession(basename(session)) === basename(folder)
  return { stamp: basename(folder), session: inSession ? session : null, folder, modules, others: names.filter((it) => !taken.has(it)) }
}
