import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { BOOKS_MODULES } from '../../src/facts/books-modules.ts'
import { runZinc } from '../helpers/cli.ts'
import { longTest } from '../helpers/long.ts'
import { SMALL, startPulls } from '../pulls/helpers.ts'

/** The command line within this process: for calls that end before anything is opened. */
async function callHere(args: string[]): Promise<{ status: number; said: string }> {
  const said: string[] = []
  const spies = [
    vi.spyOn(console, 'error').mockImplementation((...words) => void said.push(words.join(' '))),
    vi.spyOn(console, 'log').mockImplementation((...words) => void said.push(words.join(' '))),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0),
  ]
  try {
    return { status: await runCli(args, {}), said: said.join('\n') }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

test.each([
  [['fetch'], 'missing required argument'],
  [['fetch', 'invoces'], 'Did you mean invoices?'],
  [['fetch', 'all', 'bills'], 'cannot be combined'],
  [['fetch', 'bills', '--since', 'yesterday'], '--since is not a valid time'],
  [['fetch', 'bills', '--app', 'crm'], '--app must be one of'],
  [['fetch', 'bills', '--since', '2026-01-01', '--full'], 'not both'],
  [['verify', '-m', 'foo'], 'Unknown module foo'],
  [['verify', '-d', '/nowhere/at/all'], 'Folder /nowhere/at/all not found'],
  [['verify', '--quick', '--repair'], 'without --quick'],
  [['sessions', 'prune'], '--keep N or --older-than DAYS'],
  [['sessions', 'prune', '--keep', '-1'], 'whole number'],
  [['export', 'invoice'], 'Did you mean invoices?'],
  [['menu'], 'needs a terminal'],
  [['fech', 'all'], 'Did you mean fetch?'],
])('called wrongly, zinc %s answers 2 and says how', async (args, said) => {
  const wrong = await callHere(args)
  expect(wrong.status).toBe(2)
  expect(wrong.said).toContain(said)
})

longTest('the command line pulls, verifies, repairs, exports and prunes with reliable exit statuses', async () => {
  const { zinc, books, newest, rawPath } = await startPulls()
  const tokens = () => zinc.zoho.counters.token
  const run = (...args: string[]) => runZinc(args, zinc.environment)
  expect((await run('verify', '--quick')).status).toBe(1) // nothing was pulled yet

  // A server runs on the same database all the while; the token is shared.
  const fetched = await run('fetch', 'all', '--json')
  expect([fetched.status, fetched.stderr]).toEqual([0, ''])
  const response = JSON.parse(fetched.stdout)
  const session = await newest()
  expect(response).toMatchObject({ status: 'success', session, folder: join(zinc.dataDir, 'sync_sessions', session) })
  expect(response.modules).toHaveLength(BOOKS_MODULES.length)
  expect(tokens()).toBe(1)

  const plain = await run('fetch', 'bills', 'items')
  expect(plain.status).toBe(0)
  expect(plain.stdout).toMatch(/^items +0 records \(incremental; \d+ listed, 0 new, 0 updated, 0 removed\)\nbills +0 records/)
  expect(plain.stderr).not.toContain('\u001b')
  expect(tokens()).toBe(1)

  const verified = await run('verify', '-o', join(zinc.dataDir, 'report.json'))
  expect([verified.status, verified.stderr.includes('DIFFERS')]).toEqual([0, false])
  expect(verified.stdout).toContain('All is there and right.')
  expect(JSON.parse(await readFile(join(zinc.dataDir, 'report.json'), 'utf8'))).toMatchObject({ ok: true })

  const path = await rawPath(session, 'contacts.json')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace('"status":"active"', '"status":"inactive"'))
  const differs = await run('verify', '--quick', '--session', session, '--json')
  expect(differs.status).toBe(1)
  expect(JSON.parse(differs.stdout).modules.find((it: { module: string }) => it.module === 'contacts').altered.count).toBe(1)
  expect((await run('verify', '-s', session, '--repair')).status).toBe(0)

  // The newest state in one piece: what an edit changed is in it, what is gone is not.
  books.edit('bills', books.ids('bills')[0]!, { notes: 'edited' })
  await run('fetch', 'bills')
  const exported = await run('export', 'bills')
  const bills = JSON.parse(exported.stdout) as { bill_id: string; notes: string }[]
  expect([exported.status, bills.length, bills.filter((it) => it.notes === 'edited').length]).toEqual([0, SMALL.bills, 1])
  expect(bills.every((it) => !('line_items' in it))).toBe(true)
  expect((await run('export', 'bills_line_items', '-o', join(zinc.dataDir, 'lines.json'))).status).toBe(0)
  expect(JSON.parse(await readFile(join(zinc.dataDir, 'lines.json'), 'utf8')).length).toBeGreaterThan(SMALL.bills)

  // What the newest state stands on is never pruned.
  const pruned = await run('sessions', 'prune', '--keep', '1', '--json')
  expect(pruned.status).toBe(0)
  expect(JSON.parse(pruned.stdout).kept).toContain(session)
  const list = await run('sessions', 'list', '--json')
  expect(JSON.parse(list.stdout).data.map((it: { session: string }) => it.session)).toContain(session)

  const status = await run('status', '--json')
  expect(status.status).toBe(0)
  const { data } = JSON.parse(status.stdout)
  expect(data.sign_in.state).toBe('signed_in')
  expect(data.pulled.find((it: { module: string }) => it.module === 'invoices')).toMatchObject({ records: SMALL.invoices })
  expect(status.stdout).not.toContain(zinc.environment.ZOHO_CLIENT_SECRET)
  expect(tokens()).toBe(1)

  // A module that fails: 1, the others are whole, the session says so.
  zinc.zoho.fail({ path: /books\/v3\/contacts/, times: 100, status: 500, body: '<html>', contentType: 'text/html' })
  const failed = await run('fetch', 'contacts', 'organizations', '--full')
  expect(failed.status).toBe(1)
  expect(failed.stdout).toMatch(/contacts +failed/)
  expect(failed.stdout).toMatch(/organizations +1 records/)
  zinc.zoho.clearFaults()
  zinc.zoho.revoke()
  await zinc.services.db.zohoToken.deleteMany()
  const refused = await run('status')
  expect(refused.status).toBe(1)
  expect(refused.stdout).toMatch(/quota +\d+ of \d+ calls left/)
  expect(await readdir(join(zinc.dataDir, 'sync_sessions'))).not.toContain(expect.stringMatching(/^\./))
})
