import { pino } from 'pino'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/database/client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { because } from '../../src/runs/because.ts'
import type { RunOutcome } from '../../src/runs/run-handler.ts'
import type { RequestedAction } from '../../src/runs/run-state.ts'
import { createRuns, type Runs } from '../../src/runs/runs.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { waitFor } from '../helpers/wait-for.ts'

/** A process that works on runs whose end the test writes, and one that only answers requests. */
async function openTwo(handler: (action: (requestedAction: RequestedAction) => Promise<unknown>) => Promise<RunOutcome>) {
  const database = await createTestDatabase()
  const db = openDatabase(database.url)
  const open = (works: boolean): Runs =>
    createRuns({
      db,
      databaseUrl: database.url,
      clock: systemClock,
      log: pino({ level: 'silent' }),
      works,
      handlers: [{ kind: 'x', exclusiveKey: null, execute: ({ id }) => handler((requestedAction) => responses[requestedAction](id)) }],
    })
  const responses = open(false)
  const works = open(true)
  const close = async () => {
    await works.close()
    await db.$disconnect()
    await database.drop()
  }
  return { works, answers: responses, [Symbol.asyncDispose]: close }
}
const tomorrow = () => new Date(Date.now() + 86_400_000)

test.each([
  ['cancel', 'cancelled', null],
  ['pause', 'paused', null],
] as const)('a %s that another process is asked for while the run parks itself is heeded', async (action, state, resumes_at) => {
  // The handler does not look at its signal: it is on its last lines, as a run is that has just met
  // the end of the day's quota.
  await using two = await openTwo(async (ask) => {
    await ask(action)
    return { state: 'paused', resumes_at: tomorrow(), ...because('zoho_unavailable') }
  })
  const { run_id } = await two.works.start('x', {}, { startedBy: 'test' })
  await waitFor(async () => (await two.works.get(run_id)).state !== 'running' && (await two.works.get(run_id)).started_at !== null)
  expect(await two.works.get(run_id)).toMatchObject({ state, resumes_at })
})

test('a run that has done its work has ended, whatever was wished in its last moment', async () => {
  await using two = await openTwo(async (ask) => {
    await ask('cancel')
    return { state: 'success' }
  })
  const { run_id } = await two.works.start('x', {}, { startedBy: 'test' })
  await waitFor(async () => (await two.works.get(run_id)).finished_at !== null)
  expect(await two.works.get(run_id)).toMatchObject({ state: 'success', requested_action: null })
})

test('a run that waits for a time is cancelled and paused at once by any process', async () => {
  await using two = await openTwo(async () => ({ state: 'paused', resumes_at: tomorrow(), ...because('zoho_unavailable') }))
  const { run_id } = await two.works.start('x', {}, { startedBy: 'test' })
  await waitFor(async () => (await two.works.get(run_id)).resumes_at !== null)
  expect(await two.answers.pause(run_id)).toMatchObject({ state: 'paused', resumes_at: null, failure_code: 'paused_by_user' })
  expect(await two.answers.cancel(run_id)).toMatchObject({ state: 'cancelled', resumes_at: null, finished_at: expect.any(Date) })
  await expect(two.answers.cancel(run_id)).rejects.toMatchObject({ code: 'run_finished' })
})
