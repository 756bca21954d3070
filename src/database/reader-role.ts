import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { BadRequestError, ConflictError, NotFoundError } from '../lib/errors.ts'
import { createClient } from './connection.ts'

/** The schema of the views for readers; see the migrations. */
export const READER_SCHEMA = 'erp'
/** A PostgreSQL name that needs no quotes; `pg_…` is reserved by PostgreSQL, `zinc_…` by zinc. */
const NAME = /^(?!pg_|zinc_)[a-z_][a-z0-9_]{0,62}$/
const MAX_CONNECTIONS = 20
const INSUFFICIENT_PRIVILEGE = '42501'
/** In the transaction of the change that it records. */
const AUDIT = "insert into audit_entry (actor, action, target) values ('zinc', $1, $2)"

/** A reader that was created or renewed; the password is not stored. */
export interface Reader {
  name: string
  password: string
  /** Its connection URL, including the password. */
  url: string
}

/**
 * Creates a role that can sign in and read the views for the ERP and nothing else, or gives an
 * existing one a new password. Throws BadRequestError `invalid_reader_name`, ConflictError
 * `role_exists` for a role that zinc has not created, ConflictError `cannot_create_role`.
 */
export async function grantReader(ownerUrl: string, name: string): Promise<Reader> {
  const password = randomBytes(24).toString('base64url')
  await withOwner(ownerUrl, name, async (client, { exists, mark, database }) => {
    await client.query(`${exists ? 'alter' : 'create'} role ${name} with login nosuperuser nocreatedb nocreaterole noreplication
      connection limit ${MAX_CONNECTIONS} password '${password}'`)
    await client.query(`comment on role ${name} is ${client.escapeLiteral(mark)}`)
    const settings = ['default_transaction_read_only = on', `search_path = ${READER_SCHEMA}`, "statement_timeout = '5min'"]
    for (const setting of settings) await client.query(`alter role ${name} in database ${database} set ${setting}`)
    await client.query(`grant connect on database ${database} to ${name}`)
    await client.query(`grant usage on schema ${READER_SCHEMA} to ${name}`)
    await client.query(`grant select on all tables in schema ${READER_SCHEMA} to ${name}`)
    // Views that later migrations add.
    await client.query(`alter default privileges in schema ${READER_SCHEMA} grant select on tables to ${name}`)
    await client.query(AUDIT, ['reader.grant', `reader:${name}`])
  })
  const url = new URL(ownerUrl)
  url.username = name
  url.password = password
  return { name, password, url: url.href }
}

/**
 * Revokes a reader's rights and removes its role. Throws NotFoundError `reader_not_found`, and as
 * `grantReader`.
 */
export async function revokeReader(ownerUrl: string, name: string): Promise<null> {
  await withOwner(ownerUrl, name, async (client, { exists, database }) => {
    if (!exists) throw new NotFoundError('reader_not_found', { name })
    await client.query(`alter default privileges in schema ${READER_SCHEMA} revoke select on tables from ${name}`)
    await client.query(`revoke all on all tables in schema ${READER_SCHEMA} from ${name}`)
    await client.query(`revoke all on schema ${READER_SCHEMA} from ${name}`)
    await client.query(`revoke all on database ${database} from ${name}`)
    await client.query(`drop role ${name}`)
    await client.query(AUDIT, ['reader.revoke', `reader:${name}`])
  })
  return null
}

interface RoleState {
  exists: boolean
  /** Distinguishes this database's readers from roles that others created. */
  mark: string
  /** Quoted. */
  database: string
}

async function withOwner(ownerUrl: string, name: string, work: (client: pg.Client, state: RoleState) => Promise<void>): Promise<void> {
  if (!NAME.test(name)) throw new BadRequestError('invalid_reader_name', { name: name.slice(0, 100) })
  const client = createClient(ownerUrl, { connectionTimeoutMs: 10_000 })
  await client.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query<{ database: string; mark: string | null; exists: boolean }>(
      `select current_database() as database, r.oid is not null as exists, shobj_description(r.oid, 'pg_authid') as mark
       from (select 1) one left join pg_roles r on r.rolname = $1`,
      [name],
    )
    const { database, mark: found, exists } = rows[0]!
    const mark = `zinc: reads the views of ${database}`
    if (exists && found !== mark) throw new ConflictError('role_exists', { name })
    await work(client, { exists, mark, database: client.escapeIdentifier(database) })
    await client.query('commit')
  } catch (cause) {
    if ((cause as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw cause
    throw new ConflictError('cannot_create_role', {}, { cause })
  } finally {
    await client.end()
  }
}
