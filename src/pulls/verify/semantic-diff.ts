import { join } from 'node:path'
import type { BooksModule } from '../../facts/books-modules.ts'
import { parseZohoJson } from '../../zoho/value-types.ts'
import type { ModuleSource } from '../files/find-sessions.ts'
import { shortHash } from '../files/inspect-file.ts'
import { readableRecords } from './rewrite-files.ts'

/**
 * The record without differences of layout: spaces, the order of keys, zeros at the end of a
 * number.
 */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, ordered(member)]),
  )
}

/**
 * Hash of the canonical form (sorted keys, normalised numbers): equal for texts with the same
 * meaning.
 */
export const canonicalHash = (text: string): string => shortHash(JSON.stringify(ordered(parseZohoJson(text))))

/** Records whose texts differ, with the hashes that they should have. */
export type Candidates = Map<string, { holder: number; document: string; lines: string }>

/**
 * Returns which of the candidates differ only in layout. Their files are read once more, since a
 * file that a tool has rewritten differs in every text.
 */
export async function semanticallyEqual(module: BooksModule, chain: ModuleSource[], candidates: Candidates): Promise<Set<string>> {
  const same = new Set<string>()
  for (const [scope, { source, file, linesFile }] of chain.entries()) {
    const here = (id: string) => candidates.get(id)?.holder === scope
    const lines = new Map<string, string>()
    if (linesFile !== null) {
      for await (const { id, text } of readableRecords(join(source.root, linesFile), module.idField))
        if (here(id)) lines.set(id, shortHash((lines.get(id) ?? '') + canonicalHash(text)))
    }
    for await (const { id, text } of readableRecords(join(source.root, file), module.idField)) {
      const suspect = here(id) ? candidates.get(id) : undefined
      if (suspect && canonicalHash(text) === suspect.document && (linesFile === null || (lines.get(id) ?? '') === suspect.lines))
        same.add(id)
    }
  }
  return same
}
