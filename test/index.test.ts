import { expect } from 'vitest'
import { BOOKS_MODULES } from '../src/facts/books-modules.ts'
import { createRunner } from '../src/index.ts'
import { longTest } from './helpers/long.ts'
import { SMALL, startPulls } from './pulls/helpers.ts'

longTest('a script pulls, verifies and reads the status beside a running server, and leaves nothing open', async () => {
  const { zinc, books } = await startPulls()
  const runner = createRunner({ logLevel: 'ERROR', environment: zinc.environment })
  const handles = () => process.getActiveResourcesInfo().filter((it) => it.startsWith('TCPSocket')).length
  const before = handles()

  const bills = await runner.fetchData('bills', { useSessionFolder: false })
  expect(bills).toMatchObject({ status: 'success', session: null, modules: [{ module: 'bills', records: SMALL.bills, mode: 'full' }] })
  const all = await runner.fetchAllModules()
  expect(all.status).toBe('success')
  expect(all.modules).toHaveLength(BOOKS_MODULES.length)
  expect((await runner.fetchData(['invoices', 'bills'], { fullSync: true })).modules.map((it) => it.records)).toEqual([
    SMALL.invoices,
    SMALL.bills,
  ])
  books.edit('invoices', books.ids('invoices')[0]!, { notes: 'x' })
  expect((await runner.fetchData('invoices', { since: new Date(Date.now() - 60_000) })).modules[0]).toMatchObject({
    mode: 'since',
    records: 1,
  })
  expect(await runner.verifyData({ modules: ['invoices'] })).toMatchObject({ ok: true, modules: [{ records: SMALL.invoices }] })
  const [status, sessions] = await Promise.all([runner.getStatus(), runner.listSyncSessions()])
  expect(status.sign_in.state).toBe('signed_in')
  expect(sessions.length).toBe(3)
  await expect(runner.verifyData({ session: 'sync_session_2001-01-01_00-00-00' })).rejects.toMatchObject({ code: 'session_not_found' })
  await expect.poll(handles).toBeLessThanOrEqual(before)
})
