import { type BooksModuleName, KINDS, type ModuleKind, NAMES } from './books-modules.ts'
import { zohoTime } from './serialize.ts'

/** How many records each module has; the others keep their number. */
export type BooksCounts = Partial<Record<BooksModuleName, number>>

const FIRST_CREATED_S = Date.UTC(2025, 0, 1) / 1000
const SPAN_S = 600 * 86_400
/** Records with the same second after a bulk import, where the module is large enough. */
const IMPORT_ROWS = 450

export interface Entry {
  n: number
  id: string
  createdS: number
  modifiedS: number
  /** What an edit changed, in the list's row and the detail. */
  change?: Record<string, unknown>
}

export interface BooksStore {
  entries: Entry[]
  byId: Map<string, Entry>
  byModified: Entry[] | null
  next: number
}

/**
 * One module's records: only ids and times are stored, the rest is made on request, so 100,000 cost
 * little.
 */
function createShelf(name: BooksModuleName, count: number): BooksStore {
  const step = Math.max(1, Math.floor(SPAN_S / Math.max(1, count)))
  const imported = count > 2 * IMPORT_ROWS ? { from: Math.floor(count * 0.4), to: Math.floor(count * 0.4) + IMPORT_ROWS } : null
  const entries = Array.from({ length: count }, (_, n): Entry => {
    const createdS = FIRST_CREATED_S + n * step
    const inImport = imported !== null && n >= imported.from && n < imported.to
    return { n, id: idOf(name, n), createdS, modifiedS: inImport ? FIRST_CREATED_S + SPAN_S : createdS + ((n * 7_919) % 100_000) }
  })
  return { entries, byId: new Map(entries.map((entry) => [entry.id, entry])), byModified: null, next: count }
}

const idOf = (name: BooksModuleName, n: number): string =>
  String(460_000_000_010_000_000n + BigInt(NAMES.indexOf(name)) * 100_000_000n + BigInt(n))

export type Books = ReturnType<typeof createBooks>

/**
 * Books (and Invoice) of the simulated organization, with controls for tests: edits, additions,
 * deletions, and lists that misbehave.
 */
export function createBooks(counts: BooksCounts = {}, { now }: { now(): number }) {
  const shelves = new Map(NAMES.map((name) => [name, createShelf(name, counts[name] ?? KINDS[name].count)]))
  const store = (name: BooksModuleName): BooksStore => shelves.get(name)!
  const second = () => Math.floor(now() / 1000)
  const counters = { lists: {} as Record<string, number>, details: {} as Record<string, number>, detailIds: [] as string[] }
  /** Modules whose lists keep to no order. */
  const unsorted = new Set<string>()
  /** The next pages of a module that end the list too early. */
  const short = new Map<string, number>()
  /** Modules that refuse last_modified_time as a sort column. */
  const unsortable = new Set<string>()
  let paymentsKey: 'customerpayments' | 'customer_payments' = 'customerpayments'

  return {
    shelves,
    store,
    counters,
    unsorted,
    unsortable,
    short,
    paymentsKey: () => paymentsKey,
    setPaymentsKey(key: typeof paymentsKey) {
      paymentsKey = key
    },
    ids: (name: BooksModuleName) => store(name).entries.map((entry) => entry.id),
    /** As in Zoho, an edit makes the record newer. */
    edit(name: BooksModuleName, id: string, change: Record<string, unknown>, { touches = true } = {}) {
      const entry = store(name).byId.get(id)
      if (!entry) throw new Error(`no ${name} ${id}`)
      entry.change = { ...entry.change, ...change }
      if (touches) entry.modifiedS = second()
      store(name).byModified = null
    },
    add(name: BooksModuleName): string {
      const { entries, byId, next } = store(name)
      const entry: Entry = { n: next, id: idOf(name, next), createdS: second(), modifiedS: second() }
      store(name).next++
      entries.push(entry)
      byId.set(entry.id, entry)
      store(name).byModified = null
      return entry.id
    },
    remove(name: BooksModuleName, id: string) {
      const place = store(name)
      place.entries = place.entries.filter((entry) => entry.id !== id)
      place.byId.delete(id)
      place.byModified = null
    },
  }
}

export const timed = (entry: Entry, zone: string) => ({
  created_time: zohoTime(new Date(entry.createdS * 1000), zone),
  last_modified_time: zohoTime(new Date(entry.modifiedS * 1000), zone),
})

export function rowOf(kind: ModuleKind, entry: Entry, zone: string): Record<string, unknown> {
  const { line_items: _, ...change } = entry.change ?? {}
  return { ...kind.make(entry.n, entry.id).row, ...timed(entry, zone), ...change }
}

const byModified = (store: BooksStore): Entry[] => {
  store.byModified ??= [...store.entries].sort((a, b) => a.modifiedS - b.modifiedS || (a.id < b.id ? -1 : 1))
  return store.byModified
}

/**
 * Returns the records in ascending order of a column. Only times are cheap; other columns are made
 * for every record, which is enough for tests of small lists.
 */
export function sorted(store: BooksStore, kind: ModuleKind, column: string): Entry[] {
  if (column === 'last_modified_time') return byModified(store)
  if (column === 'created_time') return [...store.entries].sort((a, b) => a.createdS - b.createdS || (a.id < b.id ? -1 : 1))
  const key = (entry: Entry): string => {
    const value = { ...kind.make(entry.n, entry.id).row, ...entry.change }[column]
    return typeof value === 'string' ? value : JSON.stringify(value)
  }
  return store.entries
    .map((entry) => ({ entry, key: key(entry) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ entry }) => entry)
}
