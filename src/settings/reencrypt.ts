import type { Database, Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { placeIn, type SealedColumn } from './encrypted-columns.ts'
import type { Secrets } from './encryption.ts'

const BATCH = 100

interface Row {
  id: string
  value: string
}

function rowsWith({ table, id, column, flag }: SealedColumn, condition: Prisma.Sql, limit: number): Prisma.Sql {
  const value = Prisma.raw(`"${column}"`)
  return Prisma.sql`select ${Prisma.raw(`"${id}"`)}::text as id, ${value} as value from ${Prisma.raw(`"${table}"`)}
    where ${value} is not null ${flag ? Prisma.raw(`and "${flag}"`) : Prisma.empty} and ${condition} order by 1 limit ${limit}`
}

const startsWithAny = (column: string, prefixes: string[]) =>
  Prisma.sql`left(${Prisma.raw(`"${column}"`)}, 12) = any(${prefixes.map((prefix) => prefix.slice(0, 12))})`

/** Whether something is sealed with a key of these prefixes. */
export async function holdsSealedWith(db: Db, columns: SealedColumn[], prefixes: string[]): Promise<boolean> {
  for (const column of columns) {
    const rows = await db.$queryRaw<Row[]>(rowsWith(column, startsWithAny(column.column, prefixes), 1))
    if (rows.length > 0) return true
  }
  return false
}

/** Whether something is still sealed with an older key of the ring. */
export const hasOlder = (db: Db, secrets: Secrets, columns: SealedColumn[]): Promise<boolean> =>
  holdsSealedWith(db, columns, secrets.prefixes().older)

/**
 * Seals everything anew that an older key of the ring sealed. Each row is a change of its own that is made only if nobody else changed the row meanwhile,
 * so it can be killed at any line and run again, while servers work on. `unreadable` names rows that no key of the ring opens; they stay as they are.
 */
export async function resealAll(
  db: Database,
  secrets: Secrets,
  columns: SealedColumn[],
  signal: AbortSignal,
): Promise<{ resealed: number; unreadable: string[] }> {
  let resealed = 0
  const unreadable: string[] = []
  for (const column of columns) {
    const { table, id, column: name } = column
    let after = ''
    for (;;) {
      const old = Prisma.sql`not starts_with(${Prisma.raw(`"${name}"`)}, ${secrets.prefixes().newest})`
      const rows = await db.$queryRaw<Row[]>(rowsWith(column, Prisma.sql`${old} and ${Prisma.raw(`"${id}"`)}::text > ${after}`, BATCH))
      for (const row of rows) {
        signal.throwIfAborted()
        after = row.id
        const plain = openOrNull(secrets, row, column)
        if (plain === null) unreadable.push(placeIn(column, row.id))
        else {
          resealed += await db.$executeRaw`
            update ${Prisma.raw(`"${table}"`)} set ${Prisma.raw(`"${name}"`)} = ${secrets.seal(plain, placeIn(column, row.id))}
            where ${Prisma.raw(`"${id}"`)}::text = ${row.id} and ${Prisma.raw(`"${name}"`)} = ${row.value}`
        }
      }
      if (rows.length < BATCH) break
    }
  }
  return { resealed, unreadable }
}

function openOrNull(secrets: Secrets, row: Row, column: SealedColumn): string | null {
  try {
    return secrets.open(row.value, placeIn(column, row.id))
  } catch {
    return null
  }
}
