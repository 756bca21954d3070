import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type EdgeState, openState, type PhotoInfo, STATE_FILE, type StoredPhoto } from '../../src/edge-client/state.ts'

const SOURCE = { store_id: 'a-store', variant: null }

async function newFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'zinc-state-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}
const photo = (n: number): PhotoInfo => ({
  id: randomUUID(),
  sha256: createHash('sha256').update(String(n)).digest('hex'),
  size: 1_000 + n,
  content_type: n % 3 === 0 ? 'image/png' : 'image/jpeg',
  version: n,
})
const stored = ({ id, sha256, size, content_type, version }: PhotoInfo): StoredPhoto => ({
  id,
  file: `${id}.${content_type === 'image/png' ? 'png' : 'jpg'}`,
  sha256: sha256!,
  size: size!,
  mtime_ms: 1_700_000_000_000 + version,
  version,
  content_type: content_type!,
})
/** All that a state says. */
const contentsOf = (state: EdgeState) => ({
  cursor: state.cursor(),
  held: [...state.held.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  pending: [...state.pending.values()].map(({ order: _, ...rest }) => rest),
  reports: [...state.reports.values()].sort((a, b) => (a.photo_id < b.photo_id ? -1 : 1)),
})

/** A folder in the middle of a pull: 9 of 10 photos stored, one of them dropped again. */
async function fill(dir: string) {
  const photos = Array.from({ length: 10 }, (_, n) => photo(n))
  const state = await openState(dir, SOURCE)
  await state.beginWalk()
  await state.listed({ want: photos, seen: [] }, 'cursor-1')
  for (const one of photos.slice(0, 9))
    await state.keep(stored(one), { photo_id: one.id, status: 'synced', error: null, version: one.version })
  await state.drop(photos[3]!.id, { photo_id: photos[3]!.id, status: 'deleted', error: null, version: 3 })
  return { state, photos }
}

test('a state that is opened again is what it was, from the journal and from rewritten rows', async () => {
  const dir = await newFolder()
  const { state } = await fill(dir)
  const was = contentsOf(state)
  expect([was.held.length, was.pending.length, was.reports.length]).toEqual([8, 1, 9])
  await state.close()
  const fromJournal = await openState(dir, SOURCE)
  expect(contentsOf(fromJournal)).toEqual(was)
  // Without an end of its last line the file is rewritten, as rows.
  await fromJournal.close()
  await writeFile(join(dir, STATE_FILE), (await readFile(join(dir, STATE_FILE))).subarray(0, -1))
  await (await openState(dir, SOURCE)).close()
  const fromRows = await openState(dir, SOURCE, { memoryOnly: true })
  expect(contentsOf(fromRows)).toEqual(was)
  await fromRows.close()
})

test('a state that was cut off anywhere opens, and forgets no photo before its cursor', async () => {
  const dir = await newFolder()
  const { state } = await fill(dir)
  const held = new Set(contentsOf(state).held.map(({ id }) => id))
  const listed = new Set([...held, ...contentsOf(state).pending.map(({ id }) => id)])
  await state.close()
  const whole = await readFile(join(dir, STATE_FILE))
  for (let length = 0; length < whole.length; length += 61) {
    await writeFile(join(dir, STATE_FILE), whole)
    await truncate(join(dir, STATE_FILE), length)
    const cut = await openState(dir, SOURCE, { memoryOnly: true })
    const { cursor, held: kept, pending } = contentsOf(cut)
    // With a cursor, everything before it is known: stored, or still wanted.
    const known = new Set([...kept, ...pending].map(({ id }) => id))
    if (cursor !== null) expect([...listed].filter((id) => !known.has(id))).toEqual([])
    await cut.close()
  }
})

test('rows that were altered are not believed: everything is listed again', async () => {
  const dir = await newFolder()
  const { state } = await fill(dir)
  await state.close()
  const journal = await readFile(join(dir, STATE_FILE))
  await writeFile(join(dir, STATE_FILE), journal.subarray(0, -1))
  await (await openState(dir, SOURCE)).close()
  const rows = await readFile(join(dir, STATE_FILE))
  const at = rows.indexOf('\n') + 40
  rows[at] = rows[at]! ^ 0xff
  await writeFile(join(dir, STATE_FILE), rows)
  const damaged = await openState(dir, SOURCE)
  expect(contentsOf(damaged)).toMatchObject({ cursor: null, held: [] })
  expect(damaged.walking()).toBe(true)
  await damaged.close()
})

test('the journal of an earlier version is read once, and then gone', async () => {
  const dir = await newFolder()
  const [first, second] = [photo(1), photo(2)]
  const lines = [
    { source: SOURCE },
    { want: first, pass: 1 },
    { held: { ...stored(first), mtime_ms: 1_700_000_000_001.5 } },
    { want: second, pass: 1 },
    { cursor: 'old-cursor', pass: 1, whole: true },
  ]
  await writeFile(join(dir, '.zinc-state.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 })
  const state = await openState(dir, SOURCE)
  expect(contentsOf(state)).toMatchObject({ cursor: 'old-cursor', held: [{ id: first.id }], pending: [second] })
  await state.close()
  expect(await readdir(dir)).toEqual([STATE_FILE])
})
