import type { Clock } from '../lib/clock.ts'
import { ZohoUnavailableError } from './errors.ts'

/** What one answer says about the service behind a path: it works, it does not, or nothing (a limit of ours, a stop). */
export type CallOutcome = 'answers' | 'fails' | 'neither'

export interface GuardedCall {
  path: string
  useBreaker: boolean
  signal: AbortSignal
  classifyResponse(error: unknown): CallOutcome
}

export interface CircuitBreaker {
  /** Makes the call and learns from it. A `guarded` one is not made while the service is known to be ill: it throws ZohoUnavailableError `zoho_circuit_open`. */
  execute<T>(call: () => Promise<T>, about: GuardedCall): Promise<T>
}

/** So many faults in a row are an outage and no accident. */
const OPENS_AFTER = 10
/** Faults further apart than this are not in a row: a service that is asked once an hour is tried each time. */
const FORGOTTEN_AFTER_MS = 5 * 60_000
/** One call looks again this often, whatever the number of those that wait. */
const PROBE_EVERY_MS = 60_000

interface Service {
  faults: number
  lastFaultAt: number
  opensAt: number
  probe: Promise<unknown> | null
}

/**
 * Keeps calls from a service of Zoho's that fails again and again: each would wait for its time limit, and count in the day's quota. One for all clients of a
 * process. Each product (the first part of the path) stands for itself: Books may be ill while Inventory is well.
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
          // Whoever comes meanwhile hears what the one that looks has found.
          await service.probe
          continue
        }
        const now = clock.now().getTime()
        // A look further away than that was set before the clock went back.
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
