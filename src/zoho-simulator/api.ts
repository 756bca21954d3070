import type { FastifyInstance } from 'fastify'
import type { CrmStore } from './crm.ts'
import type { Faults } from './faults.ts'
import type { ItemGroups } from './item-groups.ts'
import type { ItemStore } from './item-store.ts'
import type { SimulatedLocation } from './locations.ts'
import type { FAKE_CREDENTIALS, OAuthServer } from './oauth-server.ts'
import type { createMeter, Limits } from './rate-limits.ts'
import { hasScope } from './scopes.ts'
import type { SimulatedItem } from './seed.ts'
import type { SimulatorToggles } from './toggles.ts'

/** Calls by kind, without those that the limits refused; `perImage` by item. */
export interface Counters {
  token: number
  list: number
  details: number
  images: number
  perImage: Map<string, number>
}

/** The state that all parts of the simulated Zoho share. */
export interface SimulatorState {
  now(): number
  zone: string
  url(): string
  credentials: typeof FAKE_CREDENTIALS
  toggles: SimulatorToggles
  limits: Limits
  meter: ReturnType<typeof createMeter>
  /** Seconds until the organization's day ends. */
  untilMidnight(): number
  faults: Faults
  accounts: OAuthServer
  store: ItemStore
  crm: CrmStore
  /** Places where goods are kept; none: the organization does not use them. */
  locations: SimulatedLocation[]
  groups: ItemGroups
  counters: Counters
  /**
   * Runs before each of the next list pages, one function per page: for changes during a listing.
   */
  beforePage: ((page: number) => void)[]
  imageBytes(item: Pick<SimulatedItem, 'image_seed' | 'category'> & Partial<SimulatedItem>): Promise<Buffer>
}

/**
 * Adds routes to the API host; token, scope, organization, limits and scripted faults are handled
 * before them. See `ApiRouteConfig` for exceptions.
 */
export type ApiRoutes = (api: FastifyInstance, state: SimulatorState) => void

/** `config` of a route of the API host. */
export interface ApiRouteConfig {
  /**
   * The scope that the token must have, for example `ZohoInventory.items.READ`; none: any token is
   * accepted.
   */
  scope?: string
  /**
   * False: no organization_id is needed, nothing is counted, and there are no limit headers (as
   * `/organizations`).
   */
  organization?: boolean
  /** True: refusals in the form of CRM. */
  crm?: boolean
  /** True: an image, which counts as a call only if the toggle says so. */
  image?: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig extends ApiRouteConfig {}
}

/** As recorded on successful calls, except for cookies and build values. */
const HEADERS = {
  server: 'ZGS',
  'content-disposition': 'attachment;',
  'cache-control': 'no-store, no-cache, must-revalidate, max-age=0, post-check=0, pre-check=0',
  pragma: 'no-cache',
  expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
  allow: 'OPTIONS, DELETE, POST, GET, PUT',
  vary: 'accept-encoding',
  'set-cookie': ['zalb_fake=1; Path=/; Secure; HttpOnly', 'JSESSIONID=fake; Path=/; Secure; HttpOnly'],
  build_version: 'Nov_24_2026_00001',
}

/** The API host: the checks that every call must pass, then the routes. */
export function registerApi(app: FastifyInstance, state: SimulatorState, routes: ApiRoutes[]): void {
  const { accounts, toggles, meter, limits, faults, credentials } = state
  app.register(async (api) => {
    api.addHook('onRequest', async (request, reply) => {
      const { scope, organization = true, image = false, crm = false } = request.routeOptions.config as ApiRouteConfig
      const scopes = accounts.scopesOf(request)
      if (!scopes || (scope !== undefined && !hasScope(scopes, scope))) {
        if (crm) {
          const [crmCode, crmMessage] = scopes
            ? ['OAUTH_SCOPE_MISMATCH', 'invalid oauth scope to access this URL']
            : ['INVALID_TOKEN', 'invalid oauth token']
          return reply.code(401).send({ code: crmCode, details: {}, message: crmMessage, status: 'error' })
        }
        const { status, code } = toggles.tokenRefusal
        const message = code === 14 ? 'Invalid value passed for authtoken' : 'You are not authorized to perform this operation'
        return reply.code(status).send({ code, message })
      }
      reply.headers(HEADERS)
      // Zoho's clock is the simulated one, which tests move.
      if (toggles.dateHeader === null) reply.raw.sendDate = false
      else reply.header('date', new Date(state.now() + toggles.dateHeader).toUTCString())
      if (organization) {
        const { organization_id } = request.query as { organization_id?: string }
        if (organization_id !== credentials.organizationId) {
          return reply
            .code(400)
            .send({ code: 6041, message: `This user is not associated with the CompanyID/CompanyName:${organization_id ?? ''}.` })
        }
        if (!image || toggles.imagesCount) {
          const refusal = meter.enter()
          reply.headers({
            'x-rate-limit-limit': String(limits.perDay),
            'x-rate-limit-remaining': String(meter.left()),
            'x-rate-limit-reset': String(state.untilMidnight()),
          })
          if (refusal) return reply.code(429).send(refusal)
          reply.raw.once('close', meter.leave)
        }
      }
      if (faults.answered(request, reply)) return reply
    })
    for (const add of routes) add(api, state)
  })
}
