import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { openEmbeddedPostgres } from '../database/embedded/embedded-postgres.ts'
import type { Services } from '../services.ts'

/** 0 success, 1 the command found or met a problem, 2 it was called wrongly. */
export type ExitStatus = 0 | 1 | 2

/**
 * What every command works with. Results go to stdout, everything else to stderr, so that a pipe
 * gets only the result.
 */
export interface CommandContext {
  config: Config
  /** `--json`: one JSON document on stdout instead of text for people. */
  json: boolean
  /** Whether stderr is a terminal: progress bars there, plain lines elsewhere. */
  terminal: boolean
  log: Logger
  /** Aborts at the first Ctrl-C or SIGTERM. */
  signal: AbortSignal
  /**
   * Opens the services at the first call, next to a running server or alone; they are closed when
   * the command ends. `mustExist`: throws NotFoundError `no_database` instead of creating a
   * database, for commands that only read.
   */
  services(options?: { mustExist?: boolean }): Promise<Services>
  /** Prints a line for people on stderr; silent with `--json`. */
  say(line: string): void
  /** Prints the result: `data` with `--json`, otherwise `text`. */
  result(data: unknown, text: string): void
}

/**
 * Makes a command's function an action of the command line: opens nothing, closes what the function
 * has opened, and turns errors into text and an exit status.
 */
export type Action = <A extends unknown[]>(
  work: (context: CommandContext, ...args: A) => Promise<ExitStatus | undefined>,
) => (...args: A) => Promise<void>

/**
 * Opens only the database, without the rest of zinc: a restore needs an empty one, with a lost key
 * nothing else starts, and a migration needs nothing else.
 */
export async function withDatabase<T>(
  { config, log }: Pick<CommandContext, 'config' | 'log'>,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (config.databaseUrl) return work(config.databaseUrl)
  await using embedded = await openEmbeddedPostgres({ dataDir: config.dataDir, log })
  return await work(embedded.url)
}
