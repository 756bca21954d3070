import { type ChildProcess, spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { childEnvironment } from '../helpers/child-environment.ts'
import { runZinc } from '../helpers/cli.ts'
import { longTest, times } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { SMALL, startPulls } from './helpers.ts'

const ended = (child: ChildProcess) =>
  new Promise<void>((resolve) => (child.exitCode !== null || child.signalCode !== null ? resolve() : child.once('exit', () => resolve())))

longTest('a pull killed repeatedly resumes with the same calls, files and records', async () => {
  const kills = times(4, 30)
  const invoices = times(450, 10_000)
  const { zinc, books, sessions, newest, rows, json } = await startPulls({ books: { ...SMALL, invoices, contacts: 450 } })
  const { db } = zinc.services
  // The server of the helper must not carry on what the killed processes left.
  await zinc.services.runs.close()

  const documents = invoices + SMALL.bills + SMALL.salesorders + SMALL.purchaseorders + SMALL.creditnotes
  // Invoices by keyset; contacts by page and once more at the end; the others are one page each.
  const undisturbed = documents + Math.ceil(invoices / 199) + (450 / 200 + 2) + 7
  const calls = () => zinc.zoho.meter.calls
  const finished = async () => (await db.run.count({ where: { kind: 'pull', state: 'success' } })) > 0
  for (let kill = 1; kill <= kills; kill++) {
    const child = spawn(process.execPath, ['src/cli/main.ts', 'fetch', 'all'], {
      env: { ...childEnvironment, ...zinc.environment },
      stdio: 'ignore',
    })
    // By progress and not by time: the same spots on a slow machine and a fast one.
    const enough = Math.floor((undisturbed * kill) / (kills + 1)) + (kill % 3)
    await waitFor(async () => calls() >= enough || child.exitCode !== null || (await finished()))
    child.kill('SIGKILL')
    await ended(child)
    // A kill leaves an unfinished folder and never half a file under its own name.
    const [folder, ...others] = await sessions()
    expect([folder?.startsWith('.'), others]).toEqual([true, []])
    for (const file of (await readdir(join(zinc.dataDir, 'sync_sessions', folder!), { recursive: true })).filter((it) =>
      /raw_json\/.*\/[^.][^/]*\.json$/.test(it),
    ))
      expect((await rows(folder!, file.split('/').at(-1)!)).length).toBeGreaterThan(0)
  }
  const last = await runZinc(['fetch', 'all', '--json'], zinc.environment)
  expect(last.status).toBe(0)
  expect(await db.run.count({ where: { kind: 'pull' } })).toBe(1)
  expect(calls()).toBeLessThanOrEqual(Math.floor(undisturbed) + kills * 4)

  const session = await newest()
  expect(await sessions()).toEqual([session])
  expect(await readdir(join(zinc.dataDir, 'sync_sessions', session, 'raw_json', session.slice(13)))).toHaveLength(15)
  for (const [module, id] of [
    ['invoices', 'invoice_id'],
    ['bills', 'bill_id'],
    ['contacts', 'contact_id'],
  ] as const) {
    const ids = (await rows(session, `${module}.json`)).map((it) => String(it[id]))
    expect(ids.length).toBe(new Set(ids).size)
    expect(new Set(ids)).toEqual(new Set(books.ids(module)))
  }
  expect(await json(session, 'session_info.json')).toMatchObject({
    status: 'complete',
    modules: expect.arrayContaining([expect.objectContaining({ module: 'invoices', listed: invoices, new: invoices })]),
  })
  expect(await db.pullRow.count()).toBe(0)
  expect(await db.runPage.count()).toBe(0)
  const verified = await runZinc(['verify', '--json'], zinc.environment)
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true })
  expect(verified.status).toBe(0)
})

longTest('a signal parks the pull and ends with 1; the next fetch finishes it in the same session', async () => {
  const { zinc, sessions, newest } = await startPulls()
  await zinc.services.runs.close()
  const child = spawn(process.execPath, ['src/cli/main.ts', 'fetch', 'invoices'], {
    env: { ...childEnvironment, ...zinc.environment },
    stdio: 'ignore',
  })
  await waitFor(() => zinc.zoho.meter.calls >= 60)
  child.kill('SIGINT')
  await ended(child)
  expect(child.exitCode).toBe(1)
  const [parked] = await sessions()
  expect(parked).toMatch(/^\.sync_session_/)
  expect((await runZinc(['fetch', 'invoices'], zinc.environment)).status).toBe(0)
  expect(await newest()).toBe(parked!.slice(1))
  expect(zinc.zoho.meter.calls).toBeLessThanOrEqual(SMALL.invoices + 2 + 4)
})
