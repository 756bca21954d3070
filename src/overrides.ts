import type { ClientOptions } from 'google-gax'
import type { FirstLogin } from './auth/first-login.ts'
import type { PasswordCost } from './auth/passwords.ts'
import type { DataCenterEndpoints } from './connection/create-client.ts'
import type { UrlFetcherOptions } from './images/fetch/fetch-url.ts'
import type { WorkerPool } from './images/processing/worker-pool.ts'
import type { Clock } from './lib/clock.ts'
import type { TimeLimits } from './zoho/client.ts'

/** What an entry point may do differently from the usual. */
export interface Overrides {
  /** Aborted: the opening ends at its next step with the signal's reason, and closes what it opened. */
  signal?: AbortSignal
  /** Called as soon as the first admin is made, before anything can fail: a password that was made up is known to nobody else. */
  onFirstLogin?(login: FirstLogin): void
  /** Instead of the database's. */
  clock?: Clock
  /** False in tests only: see openEmbeddedPostgres. */
  durable?: boolean
  /** Other hosts than Zoho's and Google's, in tests of what must reach several of them. */
  dataCenters?: DataCenterEndpoints
  gcpClient?: ClientOptions
  /** Answers for the hosts of pictures, in tests of names that lie about where they are. */
  resolveImageHost?: NonNullable<UrlFetcherOptions['resolve']>
  /** Shorter ones, in tests of a Zoho that is slow. */
  timeLimits?: TimeLimits
  /** A cheaper one, in tests that log in often and are about something else. */
  passwordCost?: PasswordCost | undefined
  /** One for several servers, in tests, so that each does not start children of its own; its owner closes it. */
  workers?: WorkerPool | undefined
}
