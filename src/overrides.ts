import type { ClientOptions } from 'google-gax'
import type { PasswordCost } from './auth/passwords.ts'
import type { FirstLogin } from './auth/print-first-login.ts'
import type { DataCenterEndpoints } from './connection/create-client.ts'
import type { UrlFetcherOptions } from './images/fetch/fetch-url.ts'
import type { WorkerPool } from './images/processing/worker-pool.ts'
import type { Clock } from './lib/clock.ts'
import type { TimeLimits } from './zoho/client.ts'

/** What an entry point may change from the default. */
export interface Overrides {
  /**
   * When aborted, the opening ends at its next step with the signal's reason, and closes what it
   * opened.
   */
  signal?: AbortSignal
  /**
   * Called as soon as the first admin is created, before anything can fail: a generated password
   * exists nowhere else.
   */
  onFirstLogin?(login: FirstLogin): void
  /** Replaces the database's. */
  clock?: Clock
  /** False in tests only: see openEmbeddedPostgres. */
  durable?: boolean
  /** True in tests only: see openConfiguredDatabase. */
  databasePrepared?: boolean
  /** Other hosts than Zoho's and Google's, for tests that call several of them. */
  dataCenters?: DataCenterEndpoints
  gcpClient?: ClientOptions
  /** Resolves image hosts, in tests of names with misleading addresses. */
  resolveImageHost?: NonNullable<UrlFetcherOptions['resolve']>
  /** Shorter ones, in tests of a slow Zoho. */
  timeLimits?: TimeLimits
  /** A cheaper one, in tests that log in often for another purpose. */
  passwordCost?: PasswordCost | undefined
  /**
   * Shared by several servers in tests, so that each does not start child processes; its owner
   * closes it.
   */
  workers?: WorkerPool | undefined
}
