import { createHmac } from 'node:crypto'
import type pg from 'pg'
import { createClient } from './connection.ts'
import { MIGRATION_LOCK } from './migrate.ts'

const ROLE = 'zinc_app'

/**
 * Creates the role that zinc itself uses on its embedded PostgreSQL, which owns nothing, and
 * returns its URL. It may read and write every table except records of the past: the audit log
 * accepts only inserts, and the list of migrations only reads. Created at the first start; at each
 * further one it gets the rights for what migrations have added. Call it after `migrate`;
 * `ownerUrl` is for migrations and dumps.
 */
export async function ensureAppRole(ownerUrl: string): Promise<string> {
  const url = new URL(ownerUrl)
  // Derived from the owner's password, so that there is one secret to keep; the owner's cannot be
  // derived from it.
  const password = createHmac('sha256', decodeURIComponent(url.password)).update(ROLE).digest('hex')
  const client = createClient(ownerUrl, { connectionTimeoutMs: 10_000 })
  await client.connect()
  try {
    // Two processes that grant at the same moment would conflict in PostgreSQL's own tables.
    await client.query(`select pg_advisory_lock(${MIGRATION_LOCK})`)
    await prepare(client, password)
  } finally {
    await client.end()
  }
  url.username = ROLE
  url.password = password
  return url.href
}

async function prepare(client: pg.Client, password: string): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [ROLE])
  if (!rowCount) await client.query(`create role ${ROLE} login nosuperuser nocreatedb nocreaterole password '${password}'`)
  const { rows } = await client.query<{ missing: boolean }>(
    `select exists (select 1 from pg_class c where c.relnamespace in ('public'::regnamespace, 'pgboss'::regnamespace)
       and ((c.relkind = 'r' and not has_table_privilege($1, c.oid, 'select')) or (c.relkind = 'S' and (not has_sequence_privilege($1, c.oid, 'usage') or has_sequence_privilege($1, c.oid, 'update'))))) as missing`,
    [ROLE],
  )
  if (!rows[0]?.missing) return
  await client.query(`
    begin;
    grant usage on schema public, pgboss to ${ROLE};
    grant select, insert, update, delete on all tables in schema public, pgboss to ${ROLE};
    grant usage, select on all sequences in schema public to ${ROLE};
    revoke update on all sequences in schema public from ${ROLE};
    revoke update, delete on audit_entry from ${ROLE};
    revoke insert, update, delete on _prisma_migrations from ${ROLE};
    commit`)
}
