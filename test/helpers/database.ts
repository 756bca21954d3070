import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

export interface TestDatabase {
  url: string
  drop(): Promise<void>
}

/** One for all tests of a worker: each connection costs PostgreSQL a process. */
let admin: Promise<pg.Client> | undefined

/** A migrated database of its own. */
export const createTestDatabase = (): Promise<TestDatabase> => createFrom('template_zinc')
/** One without a single table. */
export const createEmptyDatabase = (): Promise<TestDatabase> => createFrom('template0')

/** A copy of any other, which nobody may be connected to. */
export async function createFrom(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await query(`create database ${name} template ${template} ${inject('createDatabaseOptions')}`)
  return { url: inject('postgresUrl').replace(/\/postgres$/, `/${name}`), drop: () => query(`drop database ${name} with (force)`) }
}

async function query(sql: string): Promise<void> {
  admin ??= connect()
  await (await admin).query(sql)
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client(inject('postgresUrl'))
  // The server ends before the worker that is connected to it.
  client.on('error', () => {})
  await client.connect()
  return client
}
