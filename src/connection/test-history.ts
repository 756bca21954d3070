import type { Database } from '../database/client.ts'
import type { Prisma } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { AppError } from '../lib/errors.ts'
import { Check, type ConnectionTest, type TestResult } from '../schemas/connection.ts'
import { failedCheck } from './test-connection.ts'

const KEPT_TESTS = 20

export type TestHistory = ReturnType<typeof createTestHistory>

/** Keeps what the last tests of the connection found. */
export function createTestHistory({ db, clock }: { db: Database; clock: Clock }) {
  const keep = async (tested_by: string, tested_at: Date, { ok, checks }: { ok: boolean; checks: Check[] }) => {
    const { id } = await db.connectionTest.create({ data: { tested_by, tested_at, ok, checks: checks as Prisma.InputJsonArray } })
    const kept = await db.connectionTest.findMany({
      where: { id: { lte: id } },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: KEPT_TESTS,
    })
    await db.connectionTest.deleteMany({ where: { id: { lt: kept.at(-1)!.id } } })
  }

  return {
    /** Makes a test and keeps its result, or the refused sign-in that ended it. */
    async record(testedBy: string, test: () => Promise<TestResult>): Promise<TestResult> {
      const testedAt = clock.now()
      try {
        const result = await test()
        await keep(testedBy, testedAt, result)
        return result
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        const ms = clock.now().getTime() - testedAt.getTime()
        await keep(testedBy, testedAt, { ok: false, checks: [failedCheck('sign_in', error, ms)] })
        throw error
      }
    },

    /** The newest first. */
    async list(): Promise<ConnectionTest[]> {
      const rows = await db.connectionTest.findMany({ orderBy: { id: 'desc' }, take: KEPT_TESTS })
      return rows.map(({ id, tested_at, checks, ...row }) => ({
        ...row,
        id: Number(id),
        tested_at: tested_at.toISOString(),
        checks: Check.array().parse(checks),
      }))
    },
  }
}
