import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { runZinc } from '../helpers/cli.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('zinc sync prints plain progress off a terminal and ends with a status for scripts', async () => {
  const { zoho, environment, services, dataDir } = await startZinc({ items: createSeed({ count: 60 }) })
  const { db } = services
  // The command works alone, on the same database and folder.
  await services.runs.close()
  const zinc = (...args: string[]) => runZinc(['sync', ...args], environment)
  const all = zoho.items().filter((item) => item.image_document_id !== '').length

  const dry = await zinc('items', '--dry-run')
  expect([dry.status, dry.stdout.split('\n')[0]]).toEqual([
    0,
    'success (full): 60 items listed, 60 new, 0 updated, 0 unchanged, 0 removed, 0 failed',
  ])
  expect(await db.product.count()).toBe(0)

  const first = await zinc('items', '--images')
  expect(first.status).toBe(0)
  expect(first.stdout).toContain(`pictures: ${all} downloaded`)
  // Progress goes beside the answer: lines without a terminal's marks, the phases in their order.
  const lines = first.stderr.trim().split('\n')
  expect(lines.some((line) => /^images +\d+\/\d+/.test(line))).toBe(true)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
  expect(first.stderr + first.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  expect(await db.photo.count()).toBe(all)

  const again = await runZinc(['--json', 'sync', 'items', '--images'], environment)
  expect(again.status).toBe(0)
  expect(JSON.parse(again.stdout)).toMatchObject({
    status: 'success',
    mode: 'incremental',
    statistics: { new: 0, images_downloaded: 0, api_calls: 1 },
  })
  expect(again.stderr).toBe('')

  const images = zoho.counters.images
  expect(await zinc('reset')).toMatchObject({ status: 0, stdout: 'The next sync reads every item again.\n' })
  const read = JSON.parse((await runZinc(['--json', 'sync', 'items', '--images'], environment)).stdout)
  expect(read).toMatchObject({ mode: 'full', statistics: { total: 60, unchanged: 60, images_downloaded: 0 } })
  expect(zoho.counters.images).toBe(images)
  expect(await zinc('reset', '--images')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining(`fetches ${all} pictures again`),
  })
  await zinc('items', '--images')
  expect(zoho.counters.images).toBe(images + all)
  expect(await db.photo.count()).toBe(all)

  for (const item of zoho.items().slice(0, 20)) zoho.remove(item.item_id)
  const braked = await zinc('items', '--full')
  expect([braked.status, braked.stdout]).toEqual([1, expect.stringContaining('confirm_removals')])
  expect(await zinc('items', '--full', '--confirm-removals')).toMatchObject({ status: 0, stdout: expect.stringContaining('20 removed') })

  await mkdir(join(dataDir, 'imports'), { recursive: true })
  await writeFile(join(dataDir, 'imports', 'few.json'), JSON.stringify([{ zoho_item_id: '990001', code: 'F-1', name: 'From a file' }]))
  expect(await zinc('items', '--source', 'file', '--file', 'few.json')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('1 new'),
  })

  const runs = await db.run.count()
  const missing = await zinc('items', '--source', 'file', '--file', 'none.json')
  expect(missing).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(/^zinc: There is no file none\.json in .*\n.*without `file`/),
  })
  expect(await db.run.count()).toBe(runs)

  zoho.revoke()
  zoho.expireTokens()
  const refused = await zinc('items')
  expect([refused.status, refused.stdout + refused.stderr]).toEqual([1, expect.stringContaining('Connect to Zoho again')])
  expect((await zinc('items', '--source', 'nowhere')).status).toBe(2)
})
