import type pg from 'pg'
import { ConflictError } from '../lib/errors.ts'
import { quoted, tablesInOrder } from './dump.ts'

/** Rows of a table and a sum over their texts, the same in whatever order rows and columns are. */
export interface TableDigest {
  rows: number
  digest: string
}

/** Session settings that change how PostgreSQL writes a value as text. */
const TEXT_FORMS = `set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres';
  set local extra_float_digits = 1; set local bytea_output = 'hex'`

/** Returns the digest of every table; inside a transaction, for the rows of one moment. */
export async function tableDigests(client: pg.Client): Promise<Record<string, TableDigest>> {
  await client.query(TEXT_FORMS)
  const digests: Record<string, TableDigest> = {}
  for (const { name, columns } of await tablesInOrder(client)) {
    const row = [...columns].sort().map(quoted).join(', ')
    const { rows } = await client.query<{ rows: string; digest: string }>(
      `select count(*)::text as rows, coalesce(sum(('x' || left(md5(row(${row})::text), 15))::bit(60)::bigint::numeric), 0)::text as digest
       from ${quoted(name)}`,
    )
    digests[name] = { rows: Number(rows[0]?.rows), digest: rows[0]?.digest ?? '' }
  }
  return digests
}

/** Throws ConflictError `backup_differs` with the names of the tables that are not as expected. */
export async function compareDigests(client: pg.Client, expected: Record<string, TableDigest>): Promise<void> {
  const found = await tableDigests(client)
  const tables = Object.keys({ ...expected, ...found }).filter(
    (name) => found[name]?.rows !== expected[name]?.rows || found[name]?.digest !== expected[name]?.digest,
  )
  if (tables.length > 0) throw new ConflictError('backup_differs', { tables })
}
