import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importStores } from '../../src/cli/store-import.ts'
import { parseCsv } from '../../src/lib/parse-csv.ts'
import { longTest } from '../helpers/long.ts'
import { oldWorld } from '../helpers/predecessors.ts'
import { createTestStore } from '../helpers/test-shop.ts'
import { startZinc } from '../helpers/zinc.ts'

const OLD_ID = '0b7c6a1e-3f5d-4c7e-9a51-2f6d8e4b1c90'

test('stores keep their ids and get a token each in a file that only its owner can read', async () => {
  const zinc = await startZinc({ synced: true })
  const { services, url } = zinc
  await services.stores.create({ code: 'TAKEN', name: 'There already' }, { actor: 'test', request_id: null, ip: null })
  const file = join(await oldWorld(), 'stores.csv')
  await writeFile(
    file,
    [
      'id,code,name,variant,location',
      `${OLD_ID.toUpperCase()},BGH-01,"Karrada, main street",thumb,`,
      ',BSR-02,البصرة,,',
      ',TAKEN,Twice,,',
      'no-uuid,BAD,Bad id,,',
    ].join('\r\n'),
  )
  const tokensFile = `${file}.tokens.csv`
  const options = { tokens: tokensFile, expiresInDays: 365 }
  const dry = await importStores(services, file, { ...options, dryRun: true })
  expect([dry.added.map((it) => it.code), await services.db.store.count()]).toEqual([['BGH-01', 'BSR-02'], 1])

  const { added, left } = await importStores(services, file, { ...options, dryRun: false })

  expect(added.map((it) => it.code)).toEqual(['BGH-01', 'BSR-02'])
  expect(left.map((it) => [it.line, it.code]).sort()).toEqual([
    [4, 'TAKEN'],
    [5, 'BAD'],
  ])
  expect((await stat(`${file}.tokens.csv`)).mode & 0o777).toBe(0o600)
  const tokens = parseCsv(await readFile(`${file}.tokens.csv`, 'utf8')).rows.map((it) => it.values)
  expect(tokens.map((it) => [it.code, it.name])).toEqual([
    ['BGH-01', 'Karrada, main street'],
    ['BSR-02', 'البصرة'],
  ])
  expect(tokens[0]!.id).toBe(OLD_ID)
  // The token of the shop with its old id lists its photos.
  const store = createTestStore(url, { id: OLD_ID, token: tokens[0]!.token!, tokenId: '' })
  expect((await store.list()).photos).toHaveLength(20)

  await expect(importStores(services, file, { ...options, dryRun: false })).rejects.toMatchObject({ code: 'tokens_file_exists' })
  expect(parseCsv(await readFile(tokensFile, 'utf8')).rows).toHaveLength(2)
})

longTest('a store gets its location by id or name; an unknown or ambiguous one is reported', async () => {
  const { services } = await startZinc()
  const { db } = services
  await db.location.createMany({
    data: [
      { id: '460000000000900001', name: 'Karrada' },
      { id: '460000000000900002', name: 'البصرة' },
      { id: '460000000000900003', name: 'Depot' },
      { id: '460000000000900004', name: 'depot' },
    ],
  })
  const file = join(await oldWorld(), 'stores.csv')
  await writeFile(file, '\ufeffcode;name;location\nA;A;460000000000900001\nB;B; البصرة \nC;C;karrada\nD;D;Depot\nE;E;Kar%\n')
  const options = { tokens: `${file}.tokens.csv`, expiresInDays: null }
  const dry = await importStores(services, file, { ...options, dryRun: true })

  const { added, left } = await importStores(services, file, { ...options, dryRun: false })

  const stores = await db.store.findMany({ orderBy: { code: 'asc' } })
  const [karrada, basra] = ['460000000000900001', '460000000000900002']
  expect(stores.map((it) => it.location_id)).toEqual([karrada, basra, karrada, null, null])
  expect(left.map((it) => it.code)).toEqual(['D', 'E'])
  expect(left[0]!.reason).toContain('460000000000900003, 460000000000900004')
  expect([dry.added.map((it) => it.code), dry.left]).toEqual([added.map((it) => it.code), left])
})

test('a quotation mark that is not closed is an error with its line, and swallows no rows', () => {
  expect(() => parseCsv('code,name\nA,Main\nB,"Depot\nC,Shop\n')).toThrow(
    expect.objectContaining({ code: 'invalid_csv', detail: expect.objectContaining({ line: 4 }) }),
  )
  expect(parseCsv('\ufeffCode;Name\r\n\r\nA;"Main ""1"", street"\r\n;\r\nB\r\n')).toEqual({
    columns: ['code', 'name'],
    rows: [
      { line: 3, values: { code: 'A', name: 'Main "1", street' } },
      { line: 5, values: { code: 'B' } },
    ],
  })
})
