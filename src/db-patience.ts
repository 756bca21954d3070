import { AsyncLocalStorage } from 'node:async_hooks'
import pg from 'pg'

/** The longest that work in the background stands in line for a connection; a new connection may take as long to be made. */
const PATIENT_MS = 5_000
/** And somebody who waits for an answer, as long as it can still be a refusal. */
const HURRIED_MS = 2_000

const hurry = new AsyncLocalStorage<() => boolean>()

/** What is asked of the database in here is for somebody who waits, while `waits` says so: told soon that all is busy, they can come again. */
export const inHurry = <T>(waits: () => boolean, work: () => T): T => hurry.run(waits, work)

/** What a request begins and does not wait for: a run that gave up its place in a crowd would make its calls to Zoho again. */
export const withPatience = <T>(work: () => T): T => hurry.run(() => false, work)

type Taken = (error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void) => void

/** A pool whose line for a connection is as long as those who stand in it can wait. */
export class PatientPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>
  override connect(taken: Taken): void
  override connect(taken?: Taken): Promise<pg.PoolClient> | undefined {
    const inLine = this.totalCount >= this.options.max
    this.options.connectionTimeoutMillis = inLine && hurry.getStore()?.() ? HURRIED_MS : PATIENT_MS
    if (!taken) return super.connect()
    super.connect(taken)
    return undefined
  }
}
