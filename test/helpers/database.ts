import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

export interface TestDatabase {
  url: string
  drop(): Promise<void>
}

/** A migrated database of its own. */
export const createTestDatabase = (): Promise<TestDatabase> => createFrom('template_zinc')
/** One without a single table. */
export const createEmptyDatabase = (): Promise<TestDatabase> => createFrom('template0')

/** A copy of any other, which nobody may be connected to. */
export async function createFrom(template: string): Promise<TestDatabase> {
  const adminUrl = inject('postgresUrl')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const admin = async (sql: string) => {
    const client = new pg.Client(adminUrl)
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
  await admin(`create database ${name} template ${template} ${inject('createDatabaseOptions')}`)
  return { url: adminUrl.replace(/\/postgres$/, `/${name}`), drop: () => admin(`drop database ${name} with (force)`) }
}
