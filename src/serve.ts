import { once } from 'node:events'
import type { Logger } from 'pino'
import { buildApp } from './app.ts'
import type { Config } from './config.ts'
import { CannotStart } from './errors.ts'
import { type Overrides, openServices, type Services } from './services.ts'

/** Stopping takes at most this long: what is still under way then is cut, and the next start repairs it. */
const GRACE_MS = 8_000

/** A running zinc; `url` is where it really listens. */
export interface Serving extends AsyncDisposable {
  url: string
  services: Services
}

/** Opens the services and serves until disposed: takes no new requests, parks the running syncs, finishes or cuts what is under way. */
export async function serve(config: Config, log: Logger, overrides: Overrides = {}): Promise<Serving> {
  const services = await openServices(config, log, overrides)
  let stopping = false
  try {
    const answers = config.role !== 'worker'
    const app = await buildApp({ ...services, http: config.http, limits: config.zoho, answers, isStopping: () => stopping })
    const url = await app.listen({ host: config.http.host, port: config.http.port }).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === 'EADDRINUSE'
        ? new CannotStart('port_in_use', `Port ${config.http.port} is in use`, {
            exitStatus: 1,
            cause,
            remedy: 'Stop the other program, or set PORT (0 takes any free one).',
          })
        : new CannotStart('cannot_listen', `Cannot listen on ${config.http.host}:${config.http.port}: ${cause.message}`, {
            exitStatus: 1,
            cause,
            remedy: 'Check HOST and PORT.',
          })
    })
    services.setAddress(url)
    services.runs.open()
    services.schedules.open()
    services.notices.open()
    services.notify.open()
    // Not awaited: a view of many pictures takes a while, and nothing reads it.
    if (config.role !== 'api')
      void services.view.restore(services.db).catch((err: unknown) => log.warn({ err }, 'the view of the pictures could not be restored'))
    return {
      url,
      services,
      async [Symbol.asyncDispose]() {
        stopping = true
        const cut = setTimeout(() => app.server.closeAllConnections(), GRACE_MS)
        // Runs first: a client that waits for one gets its answer (paused or queued) before the sockets close.
        services.notices.close()
        await services.schedules.close()
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

/** Resolves at the first SIGTERM or SIGINT; a second one kills, as it should. */
export async function untilStopped(): Promise<void> {
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
  await once(stopping.signal, 'abort')
}

/** Says why the start failed, in words, and answers the exit status. Anything unforeseen keeps its stack. */
export function explainStart(error: unknown): number {
  if (!(error instanceof CannotStart)) {
    console.error(error)
    return 1
  }
  const remedy = error.detail?.remedy
  console.error(`zinc cannot start: ${error.message}${typeof remedy === 'string' ? `\n${remedy}` : ''}`)
  return error.exitStatus
}
