import type { Database, Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { recordAudit, SYSTEM_ACTOR } from './audit-log.ts'
import { aadFor, type EncryptedColumn } from './encrypted-columns.ts'
import type { Encryption } from './encryption.ts'

const BATCH = 100

interface Row {
  id: string
  value: string
}

function rowsWith({ table, id, column, flag }: EncryptedColumn, condition: Prisma.Sql, limit: number): Prisma.Sql {
  const value = Prisma.raw(`"${column}"`)
  return Prisma.sql`select ${Prisma.raw(`"${id}"`)}::text as id, ${value} as value from ${Prisma.raw(`"${table}"`)}
    where ${value} is not null ${flag ? Prisma.raw(`and "${flag}"`) : Prisma.empty} and ${condition} order by 1 limit ${limit}`
}

const startsWithAny = (column: string, prefixes: string[]) =>
  Prisma.sql`left(${Prisma.raw(`"${column}"`)}, 12) = any(${prefixes.map((prefix) => prefix.slice(0, 12))})`

/** Whether something is encrypted with a key of these prefixes. */
export async function usesKey(db: Db, columns: EncryptedColumn[], prefixes: string[]): Promise<boolean> {
  for (const column of columns) {
    const rows = await db.$queryRaw<Row[]>(rowsWith(column, startsWithAny(column.column, prefixes), 1))
    if (rows.length > 0) return true
  }
  return false
}

/** Whether something is still encrypted with an older key of the ring. */
export const usesOldKey = (db: Db, encryption: Encryption, columns: EncryptedColumn[]): Promise<boolean> =>
  usesKey(db, columns, encryption.prefixes().older)

/**
 * Encrypts again everything that an older key of the ring encrypted. Each row is a separate update
 * that is made only if the row has not changed meanwhile, so it is crash-safe and can run next to
 * servers. `unreadable` names rows that no key of the ring decrypts; they stay as they are.
 */
export async function reencryptAll(
  db: Database,
  encryption: Encryption,
  columns: EncryptedColumn[],
  signal: AbortSignal,
): Promise<{ reencrypted: number; unreadable: string[] }> {
  let reencrypted = 0
  const unreadable: string[] = []
  for (const column of columns) {
    const { table, id, column: name } = column
    let after = ''
    for (;;) {
      const old = Prisma.sql`not starts_with(${Prisma.raw(`"${name}"`)}, ${encryption.prefixes().newest})`
      const rows = await db.$queryRaw<Row[]>(rowsWith(column, Prisma.sql`${old} and ${Prisma.raw(`"${id}"`)}::text > ${after}`, BATCH))
      for (const row of rows) {
        signal.throwIfAborted()
        after = row.id
        const plain = openOrNull(encryption, row, column)
        if (plain === null) unreadable.push(aadFor(column, row.id))
        else {
          reencrypted += await db.$executeRaw`
            update ${Prisma.raw(`"${table}"`)} set ${Prisma.raw(`"${name}"`)} = ${encryption.encrypt(plain, aadFor(column, row.id))}
            where ${Prisma.raw(`"${id}"`)}::text = ${row.id} and ${Prisma.raw(`"${name}"`)} = ${row.value}`
        }
      }
      if (rows.length < BATCH) break
    }
  }
  return { reencrypted, unreadable }
}

function openOrNull(encryption: Encryption, row: Row, column: EncryptedColumn): string | null {
  try {
    return encryption.decrypt(row.value, aadFor(column, row.id))
  } catch {
    return null
  }
}

const encryptedRows = ({ table, column, flag }: EncryptedColumn): Prisma.Sql =>
  Prisma.sql`from ${Prisma.raw(`"${table}"`)} where ${Prisma.raw(`"${column}"`)} is not null ${flag ? Prisma.raw(`and "${flag}"`) : Prisma.empty}`

/** Returns how many encrypted values are stored. */
export async function countEncrypted(db: Database, columns: EncryptedColumn[]): Promise<number> {
  let count = 0
  for (const column of columns) {
    const [row] = await db.$queryRaw<{ n: number }[]>(Prisma.sql`select count(*)::int as n ${encryptedRows(column)}`)
    count += row?.n ?? 0
  }
  return count
}

/**
 * Deletes everything that is encrypted, and the database's record of the key: the next start uses
 * the key that it has. Returns how many values were deleted.
 */
export async function deleteEncrypted(db: Database, columns: EncryptedColumn[]): Promise<number> {
  return db.$transaction(async (tx) => {
    let forgotten = 0
    for (const column of columns) forgotten += await tx.$executeRaw(Prisma.sql`delete ${encryptedRows(column)}`)
    await tx.instanceProperty.deleteMany({ where: { name: 'credentials_key' } })
    await recordAudit(tx, { ...SYSTEM_ACTOR, action: 'keys.forget', target: 'keys', fields: ['credentials'] })
    return forgotten
  })
}
