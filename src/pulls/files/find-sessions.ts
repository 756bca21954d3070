import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { BooksModule } from '../../facts/books-modules.ts'
import { BadRequestError, NotFoundError } from '../../lib/errors.ts'
import { Manifest, SessionInfo } from '../../schemas/pulls.ts'
import { isStamp, type PullPaths, sessionDir, sessionName, stampOfSession } from './paths.ts'

/** A folder with files of a finished pull. */
export interface Source {
  stamp: string
  /** The session's name; null: pulled without a session, or a folder from elsewhere. */
  session: string | null
  root: string
  /** Path of the module files, relative to the root. */
  inner: string
  /** Null where the folder has no session_info.json: copied from elsewhere. */
  info: SessionInfo | null
  manifest: Manifest | null
  /** Returns the manifest's path; null for a folder from elsewhere. */
  about: ((name: string) => string) | null
}

async function readJson<T>(path: string, schema: { safeParse(value: unknown): { success: boolean; data?: T } }): Promise<T | null> {
  try {
    return schema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data ?? null
  } catch {
    return null
  }
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function openSource(paths: PullPaths, stamp: string, session: boolean): Promise<Source> {
  const folder = sessionDir(paths, { stamp, session })
  const about = (name: string) => join(folder.finished, folder.about(name))
  return {
    stamp,
    session: session ? sessionName(stamp) : null,
    root: folder.finished,
    inner: folder.inner,
    info: await readJson(about('session_info.json'), SessionInfo),
    manifest: await readJson(about('manifest.json'), Manifest),
    about,
  }
}

/** Returns every finished pull of an app, oldest first. */
export async function findSources(paths: PullPaths, app: SessionInfo['app']): Promise<Source[]> {
  const sessions = (await namesIn(paths.sessionsDir)).flatMap((name) => stampOfSession(name) ?? [])
  const plain = (await namesIn(paths.rawDir)).filter(isStamp)
  const sources = await Promise.all([
    ...sessions.map((stamp) => openSource(paths, stamp, true)),
    ...plain.map((stamp) => openSource(paths, stamp, false)),
  ])
  return sources
    .filter((it) => it.info === null || it.info.app === app)
    .sort((a, b) => (a.stamp < b.stamp ? -1 : a.stamp > b.stamp ? 1 : 0))
}

export interface SourceChoice {
  session?: string | undefined
  directory?: string | undefined
  app: SessionInfo['app']
}

/**
 * Returns the pulls that make up a state, oldest first: all of them, or up to a session or a
 * folder. Throws NotFoundError `session_not_found`, BadRequestError `no_such_folder`.
 */
export async function chooseSources(paths: PullPaths, { session, directory, app }: SourceChoice): Promise<Source[]> {
  const known = await findSources(paths, app)
  if (session !== undefined) {
    const name = basename(session)
    const stamp = stampOfSession(name) ?? (isStamp(name) ? name : null)
    const at = known.findIndex((it) => it.session !== null && it.stamp === stamp)
    if (at === -1) throw new NotFoundError('session_not_found.named', { name })
    return known.slice(0, at + 1)
  }
  if (directory === undefined) return known
  const requested = resolve(directory)
  const at = known.findIndex((it) => join(it.root, it.inner) === requested || it.root === requested)
  if (at !== -1) return known.slice(0, at + 1)
  if (!(await exists(requested))) throw new BadRequestError('no_such_folder', { directory })
  return foreignSources(requested, app)
}

/** A folder from elsewhere, after the older ones next to it. */
async function foreignSources(requested: string, app: SessionInfo['app']): Promise<Source[]> {
  const parent = dirname(requested)
  const older = isStamp(basename(requested))
    ? (await namesIn(parent)).filter((name) => isStamp(name) && name < basename(requested)).sort()
    : []
  const sources = await Promise.all(
    [...older.map((name) => join(parent, name)), requested].map(async (folder): Promise<Source> => {
      // A raw_json/<stamp> inside a copied session folder.
      const inSession = basename(dirname(folder)) === 'raw_json' && (await exists(join(folder, '..', '..', 'manifest.json')))
      const root = inSession ? resolve(folder, '..', '..') : folder
      const about = (name: string) => join(root, inSession ? name : `.${name}`)
      return {
        stamp: basename(folder),
        session: null,
        root,
        inner: inSession ? join('raw_json', basename(folder)) : '',
        info: await readJson(about('session_info.json'), SessionInfo),
        manifest: await readJson(about('manifest.json'), Manifest),
        about: (await exists(about('manifest.json'))) ? about : null,
      }
    }),
  )
  return sources.filter((it) => it.info === null || it.info.app === app)
}

/** A module's file in one source. */
export interface ModuleSource {
  source: Source
  file: string
  linesFile: string | null
  /** It has the whole module, so older files do not count. */
  full: boolean
  /** Its documents were pulled with their line items. */
  lineItems: boolean
}

/**
 * Returns the files that make up a module's newest state, newest first: the latest with the whole
 * module, and those after it.
 */
export async function fileHistory(sources: Source[], module: BooksModule): Promise<ModuleSource[]> {
  const chain: ModuleSource[] = []
  for (const source of [...sources].reverse()) {
    const file = join(source.inner, `${module.name}.json`)
    const reported = source.info?.modules.find((it) => it.module === module.name)
    const listed = source.manifest?.files.some((it) => it.file === file) ?? false
    if (reported ? reported.state !== 'success' : !listed && !(await exists(join(source.root, file)))) continue
    const linesFile = join(source.inner, `${module.name}_line_items.json`)
    const withLines = module.lineItems && (source.info ? source.info.line_items : await exists(join(source.root, linesFile)))
    chain.push({ source, file, linesFile: withLines ? linesFile : null, full: reported?.mode === 'full', lineItems: withLines })
    if (reported?.mode === 'full') break
  }
  return chain
}
