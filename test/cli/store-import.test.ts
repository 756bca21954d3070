import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseCsv } from '../../src/lib/csv.ts'
import { runZinc } from '../helpers/cli.ts'
import { oldWorld } from '../helpers/predecessors.ts'
import { createTestStore } from '../helpers/test-shop.ts'
import { startZinc } from '../helpers/zinc.ts'

const OLD_ID = '0b7c6a1e-3f5d-4c7e-9a51-2f6d8e4b1c90'

test('stores keep their ids and get a token each in a file that only its owner can read', async () => {
  const zinc = await startZinc({ synced: true })
  const { environment, services, url } = zinc
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
  const dry = await runZinc(['--json', 'store', 'import', file, '--dry-run'], environment)
  expect([dry.status, (JSON.parse(dry.stdout) as { added: { code: string }[] }).added.map((it) => it.code)]).toEqual([
    1,
    ['BGH-01', 'BSR-02'],
  ])
  expect(await services.db.store.count()).toBe(1)

  const { status, stdout } = await runZinc(['store', 'import', file], environment)

  expect([status, stdout.trim().split('\n').at(-1)]).toEqual([1, `${file}.tokens.csv`])
  expect(stdout).toContain('left: line 5 BAD: id:')
  expect(stdout).toContain('left: line 4 TAKEN:')
  expect((await stat(`${file}.tokens.csv`)).mode & 0o777).toBe(0o600)
  const tokens = parseCsv(await readFile(`${file}.tokens.csv`, 'utf8')).rows.map((it) => it.values)
  expect(tokens.map((it) => [it.code, it.name])).toEqual([
    ['BGH-01', 'Karrada, main street'],
    ['BSR-02', 'البصرة'],
  ])
  expect(tokens[0]!.id).toBe(OLD_ID)
  expect(stdout).not.toContain(tokens[0]!.token)
  // The token of the shop with its old id lists its photos.
  const store = createTestStore(url, { id: OLD_ID, token: tokens[0]!.token!, tokenId: '' })
  expect((await store.list()).photos).toHaveLength(20)

  const again = await runZinc(['store', 'import', file], environment)
  expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('exists already')])
  expect(parseCsv(await readFile(`${file}.tokens.csv`, 'utf8')).rows).toHaveLength(2)
})
