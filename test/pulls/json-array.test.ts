import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readJsonArray } from '../../src/lib/json-array.ts'
import { createJsonArrayFile } from '../../src/pulls/files/json-array-writer.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'zinc-json-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function read(path: string) {
  const records: string[] = []
  const reading = readJsonArray(path)
  for (;;) {
    const next = await reading.next()
    if (next.done) return { records, whole: next.value }
    records.push(...next.value)
  }
}

const RECORDS = [
  String.raw`{"id":460000000000100001,"n":1.50,"e":1E3,"t":"\"]},{ \\"}`,
  '{"name":"سماعة 😀","list":[{"a":[1,{"b":"}"}]}]}',
  '{}',
  `{"long":"${'ض'.repeat(200_000)}"}`,
]

test('a file holds its records to the byte with rows, size and hash, and only when finished', async () => {
  const dir = await folder()
  const path = join(dir, 'invoices.json')
  const file = await createJsonArrayFile(path)
  for (const record of RECORDS) await file.add(record)
  expect(await readdir(dir)).toEqual(['.invoices.json.part'])
  const written = await file.finish()
  expect(await readdir(dir)).toEqual(['invoices.json'])
  const bytes = await readFile(path)
  expect(written).toEqual({ rows: 4, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  expect(JSON.parse(bytes.toString())).toHaveLength(4)
  expect(await read(path)).toEqual({ records: RECORDS, whole: written })
  const empty = await createJsonArrayFile(join(dir, 'bills.json'))
  await empty.finish()
  expect(JSON.parse(await readFile(join(dir, 'bills.json'), 'utf8'))).toEqual([])
  expect((await read(join(dir, 'bills.json'))).records).toEqual([])
})

test('files that other tools laid out anew are read, whatever their chunks', async () => {
  const path = join(await folder(), 'x.json')
  const values = Array.from({ length: 3_000 }, (_, n) => ({ n, text: `"${'\\'.repeat(n % 5)}ض${n}` }))
  await writeFile(path, JSON.stringify(values, null, 3))
  expect((await read(path)).records.map((it) => JSON.parse(it))).toEqual(values)
})

test.each([
  ['cut in a record', '[{"a":1},{"a"', 'is cut off'],
  ['cut between records', '[{"a":1},', 'is cut off'],
  ['empty', '', 'is cut off'],
  ['an object', '{"a":1}', 'not an array'],
  ['numbers', '[1,2]', 'not an array'],
  ['two arrays', '[{"a":1}][]', 'not an array'],
  ['a comma too much', '[{"a":1},]', 'not an array'],
])('a file that is %s is called broken, after what stood before the fault', async (_, text, message) => {
  const path = join(await folder(), 'x.json')
  await writeFile(path, text)
  const found: string[] = []
  await expect(
    (async () => {
      for await (const records of readJsonArray(path)) found.push(...records)
    })(),
  ).rejects.toThrow(message)
  if (text.startsWith('[{')) expect(found).toEqual(['{"a":1}'])
})
