import { beforeAll, expect, test } from 'vitest'
import type { RunsByDay } from '../../src/schemas/runs.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

const ZOHO = '/api/settings/integrations/zoho'
const DAY_MS = 86_400_000
let zinc: TestZinc

beforeAll(async () => {
  const held = await openZinc({ synced: true })
  zinc = held
  return held.end
})

const read = async <T>(path: string) => ((await (await zinc.call(path)).json()) as { data: T }).data
const status = async (path: string) => (await zinc.call(path)).status
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS)

test('runs are counted by day and outcome, and listed between two times', async () => {
  const { db } = zinc.services
  const before = (await read<RunsByDay>(`${ZOHO}/sync/runs/by-day?days=7`)).reduce((sum, { success }) => sum + success, 0)
  for (const [days, state] of [
    [2, 'success'],
    [2, 'failed'],
    [4, 'partial'],
    [9, 'success'],
  ] as const)
    await db.run.create({ data: { kind: 'counted', state, created_at: daysAgo(days), finished_at: daysAgo(days) } })
  const days = await read<RunsByDay>(`${ZOHO}/sync/runs/by-day?days=7`)
  expect(days).toHaveLength(7)
  expect(days.map(({ date }) => date)).toEqual(days.map(({ date }) => date).toSorted())
  expect(days.reduce((sum, { success }) => sum + success, 0)).toBe(before + 1)
  expect(days.filter(({ failed }) => failed > 0)).toHaveLength(1)
  expect(days.find(({ failed }) => failed > 0)).toMatchObject({ success: 1, failed: 1, partial: 0, unfinished: 0 })
  expect(days.findIndex(({ partial }) => partial > 0)).toBe(days.findIndex(({ failed }) => failed > 0) - 2)

  const between = `kind=counted&from=${daysAgo(5).toISOString()}&to=${daysAgo(1).toISOString()}`
  const listed = await read<{ state: string }[]>(`${ZOHO}/sync/runs?${between}`)
  expect(listed.map(({ state }) => state).toSorted()).toEqual(['failed', 'partial', 'success'])
  expect(await status(`${ZOHO}/sync/runs?from=yesterday`)).toBe(400)
  expect(await status(`${ZOHO}/sync/runs/by-day?days=0`)).toBe(400)
})

test('calls and failures are listed between two times', async () => {
  const { db } = zinc.services
  const run = await db.run.create({ data: { kind: 'items', state: 'partial' } })
  await db.zohoCall.deleteMany()
  for (const days of [1, 3, 5]) {
    await db.zohoCall.create({ data: { started_at: daysAgo(days), job: 'items', path: `/day-${days}`, organization: '1' } })
    await db.failure.create({
      data: { run_id: run.id, stage: 'image', code: 'truncated', message: 'cut', sku: `S${days}`, created_at: daysAgo(days) },
    })
  }
  const between = `from=${daysAgo(4).toISOString()}&to=${daysAgo(2).toISOString()}`
  expect((await read<{ path: string }[]>(`${ZOHO}/calls?${between}`)).map(({ path }) => path)).toEqual(['/day-3'])
  const groups = await read<{ count: number; failures: { sku: string }[] }[]>(`${ZOHO}/failures?${between}`)
  expect(groups.map(({ count, failures }) => [count, failures.map(({ sku }) => sku)])).toEqual([[1, ['S3']]])
})

test('the history of a product names what runs changed of it, and no dry run', async () => {
  const { db } = zinc.services
  const { id, zoho_item_id } = await db.product.findFirstOrThrow({ where: { zoho_item_id: { not: null } } })
  const made = async (params: object, created_at: Date) => {
    const run = await db.run.create({ data: { kind: 'items', state: 'success', params, created_at, started_by: 'sara' } })
    await db.runRecord.create({
      data: { run_id: run.id, record_id: zoho_item_id!, outcome: 'updated', changes: { selling_price: ['1', '2'] } },
    })
    return run.id
  }
  const [older, , newer] = [await made({}, daysAgo(2)), await made({ dry_run: true }, daysAgo(1)), await made({}, new Date())]
  const history = await read<{ run_id: string; changes: object; started_by: string }[]>(`/api/products/${id}/history`)
  // The sync that the test began with is there, too.
  expect(history.filter(({ started_by }) => started_by === 'sara').map(({ run_id }) => run_id)).toEqual([newer, older])
  expect(history[0]).toMatchObject({ started_by: 'sara', changes: { selling_price: ['1', '2'] } })
})
