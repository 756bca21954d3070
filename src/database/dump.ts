import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { createClient } from './connection.ts'

/**
 * The first line of every dump; the number changes when the format of the lines below it changes.
 */
export const MAGIC = '-- zinc database dump 1'
export const MIGRATIONS = '-- migrations: '

export interface Table {
  name: string
  /** Without generated ones, which PostgreSQL computes again. */
  columns: string[]
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * Returns zinc's tables, each after those that it refers to, so that a restore never inserts a row
 * before its parent.
 */
export async function tablesInOrder(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table & { parents: string[] }>(`
    select c.relname as name,
      (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
      array(select p.relname::text from pg_constraint k join pg_class p on p.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as parents
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> '_prisma_migrations' order by c.relname`)
  const done = new Set<string>()
  const ordered: Table[] = []
  while (ordered.length < rows.length) {
    const next = rows.filter((row) => !done.has(row.name) && row.parents.every((parent) => done.has(parent)))
    if (next.length === 0) throw new Error('Tables refer to each other in a circle; a dump cannot be put in order')
    for (const { name, columns } of next) {
      done.add(name)
      ordered.push({ name, columns })
    }
  }
  return ordered
}

/**
 * Writes the whole database to `file`, as of one moment, while zinc keeps running: a gzipped script
 * of COPY blocks that `psql` reads too. The embedded PostgreSQL has no pg_dump, and a newer zinc
 * may bring a PostgreSQL that cannot read the older one's folder; this file solves both.
 * `inSnapshot` reads more of the same moment.
 */
export async function dumpDatabase(
  url: string,
  file: string,
  { inSnapshot }: { inSnapshot?(client: pg.Client): Promise<void> } = {},
): Promise<{ tables: number; rows: number }> {
  const client = createClient(url)
  await client.connect()
  const unfinished = `${file}.part`
  let count = 0
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    const migrations = await client.query<{ migration_name: string }>(
      'select migration_name from _prisma_migrations where finished_at is not null order by migration_name',
    )
    const tables = await tablesInOrder(client)
    async function* script(): AsyncGenerator<string | Buffer> {
      yield `${MAGIC}\n${MIGRATIONS}${JSON.stringify(migrations.rows.map((row) => row.migration_name))}\n`
      for (const { name, columns } of tables) {
        const list = columns.map(quoted).join(', ')
        yield `COPY ${quoted(name)} (${list}) FROM stdin;\n`
        const copy = client.query(copyTo(`copy ${quoted(name)} (${list}) to stdout`))
        for await (const chunk of copy) yield chunk as Buffer
        count += copy.rowCount ?? 0
        yield '\\.\n'
      }
      const sequences = await client.query<{ name: string; last: string | null }>(
        `select sequencename as name, last_value::text as last from pg_sequences where schemaname = 'public' order by 1`,
      )
      for (const { name, last } of sequences.rows)
        if (last !== null) yield `select setval('${quoted(name).replaceAll("'", "''")}', ${last});\n`
    }
    await pipeline(Readable.from(script(), { objectMode: false }), createGzip(), createWriteStream(unfinished, { mode: 0o600 }))
    await inSnapshot?.(client)
    await client.query('commit')
    await rename(unfinished, file)
    return { tables: tables.length, rows: count }
  } finally {
    await client.end()
    await rm(unfinished, { force: true })
  }
}
