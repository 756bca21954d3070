import type { Database } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { recordAudit, SYSTEM_ACTOR } from './audit-log.ts'
import type { EncryptedColumn } from './encrypted-columns.ts'

const encryptedRows = ({ table, column, flag }: EncryptedColumn): Prisma.Sql =>
  Prisma.sql`from ${Prisma.raw(`"${table}"`)} where ${Prisma.raw(`"${column}"`)} is not null ${flag ? Prisma.raw(`and "${flag}"`) : Prisma.empty}`

/** How many values are kept sealed. */
export async function countEncrypted(db: Database, columns: EncryptedColumn[]): Promise<number> {
  let count = 0
  for (const column of columns) {
    const [row] = await db.$queryRaw<{ n: number }[]>(Prisma.sql`select count(*)::int as n ${encryptedRows(column)}`)
    count += row?.n ?? 0
  }
  return count
}

/** Removes everything that is sealed, and the database's memory of the key that sealed it: the next start takes the key that it has. Answers how many values went. */
export async function deleteEncrypted(db: Database, columns: EncryptedColumn[]): Promise<number> {
  return db.$transaction(async (tx) => {
    let forgotten = 0
    for (const column of columns) forgotten += await tx.$executeRaw(Prisma.sql`delete ${encryptedRows(column)}`)
    await tx.instanceFact.deleteMany({ where: { name: 'credentials_key' } })
    await recordAudit(tx, { ...SYSTEM_ACTOR, action: 'keys.forget', target: 'keys', fields: ['credentials'] })
    return forgotten
  })
}
