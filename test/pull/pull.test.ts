import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startPulls } from './helpers.ts'

test('a first pull brings every module whole: files, line items, records, and one detail call a document', async () => {
  const { zinc, pull, session } = await startPulls()
  const run = await pull({})
  expect([run.state, run.cause]).toEqual(['success', null])
  const name = await session()
  const root = join(zinc.dataDir, 'sync_sessions', name)
  expect((await readdir(root)).sort()).toEqual(['README.md', 'logs', 'manifest.json', 'raw_json', 'reports', 'session_info.json'])
})
