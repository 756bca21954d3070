import { pino } from 'pino'
import { expect, test } from 'vitest'
import { openDatabase, type RawDb } from '../../src/database/client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { RunContext } from '../../src/runs/run-handler.ts'
import { createRuns } from '../../src/runs/runs.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { waitFor } from '../helpers/wait-for.ts'

const KINDS: [string, (run: RunContext, work: (tx: RawDb) => Promise<void>) => Promise<void>][] = [
  ["Prisma's", (run, work) => run.fenced(work)],
  ['a raw one', (run, work) => run.fencedRaw(work)],
]

test.each(KINDS)('an owner that another process has taken the run from writes nothing in a transaction (%s)', async (_, within) => {
  const database = await createTestDatabase()
  const db = openDatabase(database.url)
  const told: unknown[] = []
  const runs = createRuns({
    db,
    databaseUrl: database.url,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    works: true,
    handlers: [
      {
        kind: 'x',
        exclusiveKey: null,
        async execute(run) {
          const write = (name: string) =>
            within(run, async (tx) => void (await tx.$executeRaw`insert into watermark (name) values (${name})`))
          await write('mine')
          await db.run.update({ where: { id: run.id }, data: { fence: { increment: 1 } } })
          told.push(
            await write('too late').then(
              () => 'written',
              (error: unknown) => error,
            ),
          )
          return { state: 'success' }
        },
      },
    ],
  })
  await runs.start('x', {}, { startedBy: 'test' })
  await waitFor(() => told.length > 0)
  await runs.close()
  expect(told).toEqual([expect.objectContaining({ reason: 'lost' })])
  expect((await db.watermark.findMany()).map(({ name }) => name)).toEqual(['mine'])
  await db.$disconnect()
  await database.drop()
})
