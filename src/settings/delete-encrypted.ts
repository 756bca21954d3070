import type { Database } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { recordAudit, ZINC } from './audit-log.ts'
import type { SealedColumn } from './encrypted-columns.ts'

const sealedRows = ({ table, column, flag }: SealedColumn): Prisma.Sql =>
  Prisma.sql`from ${Prisma.raw(`"${table}"`)} where ${Prisma.raw(`"${column}"`)} is not null ${flag ? Prisma.raw(`and "${flag}"`) : Prisma.empty}`

/** How many values are kept sealed. */
export async function countSealed(db: Database, columns: SealedColumn[]): Promise<number> {
  let count = 0
  for (const column of columns) {
    const [row] = await db.$queryRaw<{ n: number }[]>(Prisma.sql`select count(*)::int as n ${sealedRows(column)}`)
    count += row?.n ?? 0
  }
  return count
}

/** Removes everything that is sealed, and the database's memory of the key that sealed it: the next start takes the key that it has. Answers how many values went. */
export async function forgetSealed(db: Database, columns: SealedColumn[]): Promise<number> {
  return db.$transaction(async (tx) => {
    let forgotten = 0
    for (const column of columns) forgotten += await tx.$executeRaw(Prisma.sql`delete ${sealedRows(column)}`)
    await tx.instanceFact.deleteMany({ where: { name: 'credentials_key' } })
    await recordAudit(tx, { ...ZINC, action: 'keys.forget', target: 'keys', fields: ['credentials'] })
    return forgotten
  })
}
