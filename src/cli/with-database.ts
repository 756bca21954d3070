import { openEmbeddedPostgres } from '../database/embedded/embedded-postgres.ts'
import type { CommandContext } from './context.ts'

/** Only the database, without the rest of zinc: a restore must meet an empty one, a lost key lets nothing else start, and a migration needs nothing else. */
export async function withDatabase<T>(
  { config, log }: Pick<CommandContext, 'config' | 'log'>,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (config.databaseUrl) return work(config.databaseUrl)
  await using embedded = await openEmbeddedPostgres({ dataDir: config.dataDir, log })
  return await work(embedded.url)
}
