import type { Logger } from 'pino'
import { buildApp } from './app.ts'
import { isBackupSchedule } from './backup/backups.ts'
import type { Config } from './config.ts'
import { StartupError } from './lib/errors.ts'
import { toStartupError } from './lib/startup-error.ts'
import { inSpan } from './lib/tracing.ts'
import type { Overrides } from './overrides.ts'
import { openServices, type Services } from './services.ts'

/**
 * Requests still running after this time are cut: with the embedded database, the whole shutdown
 * must end within ten seconds.
 */
const GRACE_MS = 7_000

/** A running zinc; `url` is where it really listens. */
export interface RunningServer extends AsyncDisposable {
  url: string
  services: Services
}

/**
 * Opens the services and serves until disposed. Disposing accepts no new requests, pauses the
 * running syncs, and finishes or cuts the requests that are running.
 */
export async function startServer(config: Config, log: Logger, overrides: Overrides = {}): Promise<RunningServer> {
  const services = await openServices(config, log, overrides)
  let stopping = false
  try {
    const app = await buildApp({
      ...services,
      http: config.http,
      limits: config.zoho,
      role: config.role,
      traces: config.traces,
      isStopping: () => stopping,
    })
    overrides.signal?.throwIfAborted()
    const { host, port } = config.http
    const url = await app.listen({ host, port }).catch((cause: NodeJS.ErrnoException) => {
      throw cannotListen(host, port, cause)
    })
    services.address.listening(url)
    services.runs.open()
    services.scheduler.open((due) =>
      inSpan(`schedule ${due.module}`, { from: { traceParent: null, sameTrace: false } }, () =>
        isBackupSchedule(due.module) ? services.backups.startDue(due) : services.modules.startDue(due),
      ),
    )
    services.webhookQueue.open()
    services.notifier.open()
    services.webhookDelivery.open()
    services.productFeed.open()
    void services.backups.open().catch((err: unknown) => log.error({ err }, 'the job queue cannot be opened'))
    void services.openJobs().catch((err: unknown) => log.error({ err }, 'the job queue cannot be opened'))
    // Not awaited: making links for many images takes a while, and nothing reads them.
    if (config.role !== 'api')
      void services.itemLinks.restore(services.db).catch((err: unknown) => log.warn({ err }, 'item links could not be restored'))
    return {
      url,
      services,
      async [Symbol.asyncDispose]() {
        stopping = true
        const cut = setTimeout(() => app.server.closeAllConnections(), GRACE_MS)
        // Runs first: a client that waits for one gets its response (paused or queued) before the
        // sockets close.
        services.productFeed.stop()
        services.webhookQueue.close()
        await services.scheduler.close()
        await services.runs.close()
        await app.close()
        clearTimeout(cut)
        await services[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await services[Symbol.asyncDispose]()
    throw error
  }
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): StartupError {
  const options = { exitStatus: 1, cause } as const
  switch (cause.code) {
    case 'EADDRINUSE':
      return new StartupError('port_in_use', { port }, options)
    case 'EADDRNOTAVAIL':
      return new StartupError('address_not_available', { host }, options)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartupError('address_not_available.name', { host }, options)
    case 'EACCES':
      return new StartupError('port_not_permitted', { port }, options)
    default:
      return new StartupError('listen_failed', { host, port, problem: cause.message }, options)
  }
}

/**
 * Prints why the start failed and what to do; returns the exit status. Only unexpected errors keep
 * their stack.
 */
export function printStartupError(error: unknown): number {
  const failure = toStartupError(error)
  if (!failure) {
    console.error(error)
    return 1
  }
  const remedy = failure.detail?.remedy
  console.error(`zinc cannot start: ${failure.message}${typeof remedy === 'string' ? `\n${remedy}` : ''}`)
  return failure.exitStatus
}
