import pg from 'pg'
import { onTestFinished } from 'vitest'

/** A connection to PostgreSQL that ends with the test. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => {}) // its database is dropped while it may still be open
  await client.connect()
  onTestFinished(() => client.end())
  return client
}
