import type { Clock } from '../lib/clock.ts'
import { ZohoUnavailableError } from './errors.ts'

/**
 * What one call says about the service behind a path: it works, it fails, or nothing (a rate limit,
 * an abort).
 */
export type CallOutcome = 'answers' | 'fails' | 'neither'

export interface GuardedCall {
  path: string
  useBreaker: boolean
  signal: AbortSignal
  classifyResponse(error: unknown): CallOutcome
}

export interface CircuitBreaker {
  /**
   * Makes the call and counts its outcome. With `useBreaker` it is not made while the circuit is
   * open: it throws ZohoUnavailableError `zoho_circuit_open`.
   */
  execute<T>(call: () => Promise<T>, about: GuardedCall): Promise<T>
}

/** This number of failures in a row is an outage, not chance. */
const OPENS_AFTER = 10
/**
 * Failures further apart than this do not count as in a row: a service that is called once an hour
 * is always called.
 */
const FORGOTTEN_AFTER_MS = 5 * 60_000
/** While the circuit is open, one call probes the service this often, however many are waiting. */
const PROBE_EVERY_MS = 60_000

interface Service {
  faults: number
  lastFaultAt: number
  opensAt: number
  probe: Promise<unknown> | null
}

/**
 * Stops calls to a Zoho service that fails repeatedly: each call would run into its timeout and use
 * up the day's quota. One instance serves all clients of a process. Each product (the first part of
 * the path) has its own circuit: Books may be down while Inventory works.
 */
export function createCircuitBreaker({ clock }: { clock: Clock }): CircuitBreaker {
  const services = new Map<string, Service>()

  async function attempt<T>(service: Service, call: () => Promise<T>, classifyResponse: (error: unknown) => CallOutcome): Promise<T> {
    const note = (outcome: CallOutcome) => {
      const now = clock.now().getTime()
      if (outcome === 'answers') Object.assign(service, { faults: 0, opensAt: 0 })
      if (outcome !== 'fails') return
      service.faults = now - service.lastFaultAt > FORGOTTEN_AFTER_MS ? 1 : service.faults + 1
      service.lastFaultAt = now
      if (service.faults >= OPENS_AFTER) service.opensAt = now + PROBE_EVERY_MS
    }
    try {
      const response = await call()
      note('answers')
      return response
    } catch (error) {
      note(classifyResponse(error))
      throw error
    }
  }

  return {
    async execute(call, { path, useBreaker, signal, classifyResponse }) {
      const name = path.split('/')[1] ?? ''
      const service = services.get(name) ?? { faults: 0, lastFaultAt: 0, opensAt: 0, probe: null }
      services.set(name, service)
      for (;;) {
        signal.throwIfAborted()
        if (service.opensAt === 0 || !useBreaker) return attempt(service, call, classifyResponse)
        if (service.probe) {
          // Callers that arrive during a probe share its result.
          await service.probe
          continue
        }
        const now = clock.now().getTime()
        // A probe planned further ahead than that was set before the system clock went back.
        if (now < service.opensAt && service.opensAt - now <= PROBE_EVERY_MS) throw unwell(new Date(service.opensAt))
        const probe = attempt(service, call, classifyResponse)
        service.probe = probe.then(
          () => {},
          () => {},
        )
        try {
          return await probe
        } finally {
          service.probe = null
        }
      }
    },
  }
}

const unwell = (until: Date) => new ZohoUnavailableError('zoho_circuit_open', { tries: OPENS_AFTER, until: until.toISOString() })
