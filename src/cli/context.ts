import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { openEmbeddedPostgres } from '../database/embedded/embedded-postgres.ts'
import type { Services } from '../services.ts'

/** 0 done, 1 the command found or met a problem, 2 it was called wrongly. */
export type ExitStatus = 0 | 1 | 2

/** What every command has in hand. Answers go to stdout, everything else to stderr, so that a pipe gets only the answer. */
export interface CommandContext {
  config: Config
  /** `--json`: one JSON document on stdout instead of text for people. */
  json: boolean
  /** Whether a person looks: progress bars on a terminal, plain lines elsewhere. */
  terminal: boolean
  log: Logger
  /** Aborts at the first Ctrl-C or SIGTERM. */
  signal: AbortSignal
  /**
   * Opens the services at the first call, beside a running server or alone; they are closed when the command ends.
   * `mustExist`: throws NotFoundError `no_database` instead of making a new database, for commands that only read.
   */
  services(options?: { mustExist?: boolean }): Promise<Services>
  /** A line for people who watch, on stderr; silent with `--json`. */
  say(line: string): void
  /** The answer: `data` with `--json`, else `text`. */
  result(data: unknown, text: string): void
}

/** Makes a command's work into an action of the command line: opens nothing, closes what the work has opened, turns errors into words and a status. */
export type Action = <A extends unknown[]>(
  work: (context: CommandContext, ...args: A) => Promise<ExitStatus | undefined>,
) => (...args: A) => Promise<void>

/** Only the database, without the rest of zinc: a restore must meet an empty one, a lost key lets nothing else start, and a migration needs nothing else. */
export async function withDatabase<T>(
  { config, log }: Pick<CommandContext, 'config' | 'log'>,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (config.databaseUrl) return work(config.databaseUrl)
  await using embedded = await openEmbeddedPostgres({ dataDir: config.dataDir, log })
  return await work(embedded.url)
}
