import formbody from 'node:querystring'
import Fastify from 'fastify'
import { type ApiRoutes, type Counters, registerApi, type SimulatorState } from './api.ts'
import { booksControl } from './books-control.ts'
import { booksRoutes } from './books-routes.ts'
import { type BooksCounts, createBooks } from './books-store.ts'
import { createControl } from './control.ts'
import { createCrmStore, crmRoutes } from './crm.ts'
import { drawImage } from './draw-image.ts'
import { createFaults } from './faults.ts'
import { imageRoutes } from './images.ts'
import { createItemGroups, itemGroupRoutes } from './item-groups.ts'
import { createItemStore } from './item-store.ts'
import { itemRoutes } from './items.ts'
import { locationRoutes, ONE_LOCATION, type SimulatedLocation } from './locations.ts'
import { createOAuthServer, FAKE_CREDENTIALS } from './oauth-server.ts'
import { organizationRoutes } from './organizations.ts'
import { createPriceBookStore, priceBookRoutes, type SimulatedPriceBook } from './price-books.ts'
import { createMeter, type Limits, NO_LIMITS } from './rate-limits.ts'
import { GRANTED_SCOPES } from './scopes.ts'
import { createSeed, type SeedOptions, type SimulatedItem } from './seed.ts'
import { secondsToMidnight, zohoTime } from './serialize.ts'
import { DEFAULT_TOGGLES, type SimulatorToggles } from './toggles.ts'
import { createWebhooks } from './webhooks.ts'

export type { Fault } from './faults.ts'
export { environmentFor, FAKE_CREDENTIALS } from './oauth-server.ts'

/**
 * Everything that the API host serves; each Zoho product is one file with its routes and one line
 * here.
 */
const API_ROUTES: ApiRoutes[] = [organizationRoutes, itemRoutes, locationRoutes, imageRoutes, crmRoutes]

export interface SimulatorOptions extends SeedOptions {
  port?: number
  items?: SimulatedItem[]
  /** Places where goods are kept, the first one with most of them. */
  locations?: SimulatedLocation[]
  /** None by default. */
  priceBooks?: SimulatedPriceBook[]
  /** How many records the modules of Books have. */
  books?: BooksCounts
  limits?: Limits
  toggles?: Partial<SimulatorToggles>
  /** Records of each module of the CRM. */
  crmRows?: number
  /** The scopes granted to the account. */
  scopes?: string[]
  /** Other than the default ones: a simulator of another data center. */
  credentials?: typeof FAKE_CREDENTIALS
  /** The simulator's time; tests pass one that runs faster or stands still. */
  now?(): number
  zone?: string
  /** Other images than the drawn ones, for example real photographs; by item. */
  imageOf?(item: { image_seed: number; category: string } & Partial<SimulatedItem>): Promise<Buffer>
}

/** Drawn images are cached, since tests and the demo request them again. */
const KEPT_IMAGES = 3_000

export type ZohoSimulator = Awaited<ReturnType<typeof startZohoSimulator>>

/**
 * Starts a Zoho that listens on loopback, written from Zoho's documented behaviour and not from
 * zinc's client. One URL serves the accounts host and the API host. Controlled by tests through the
 * returned object, and over HTTP under `/_control`.
 */
export async function startZohoSimulator(options: SimulatorOptions = {}) {
  const { zone = 'Asia/Baghdad', credentials = FAKE_CREDENTIALS } = options
  let advancedMs = 0
  let url = ''
  let midnight = 0
  const now = () => (options.now ?? Date.now)() + advancedMs
  const untilMidnight = () => {
    if (now() >= midnight) midnight = now() + secondsToMidnight(new Date(now()), zone) * 1000
    return Math.max(1, Math.round((midnight - now()) / 1000))
  }
  const limits = { ...(options.limits ?? NO_LIMITS) }
  const toggles = { ...DEFAULT_TOGGLES, ...options.toggles }
  const faults = createFaults()
  const counters: Counters = { token: 0, list: 0, details: 0, images: 0, perImage: new Map() }
  const images = new Map<string, Promise<Buffer>>()
  const store = createItemStore(options.items ?? createSeed(options), { now, lagMs: () => toggles.listLagMs })
  const groups = createItemGroups({ store, toggles, now })
  const priceBooks = createPriceBookStore(options.priceBooks ?? [], { now, rateTouchesList: () => toggles.rateTouchesList })
  const state: SimulatorState = {
    now,
    zone,
    credentials,
    limits,
    toggles,
    faults,
    untilMidnight,
    url: () => url,
    meter: createMeter({ limits, now, untilMidnight }),
    accounts: createOAuthServer({ now, toggles, faults, credentials, counters, scopes: options.scopes ?? GRANTED_SCOPES, url: () => url }),
    store,
    groups,
    locations: [...(options.locations ?? ONE_LOCATION)],
    crm: createCrmStore({ now, rows: options.crmRows ?? 25 }),
    counters,
    beforePage: [],
    imageBytes(item) {
      if (options.imageOf) return options.imageOf(item)
      const key = `${item.image_seed} ${item.category}`
      const drawn = images.get(key) ?? drawImage({ seed: item.image_seed, category: item.category })
      images.set(key, drawn)
      if (images.size > KEPT_IMAGES) images.delete(images.keys().next().value!)
      return drawn
    },
  }
  const { control, routes } = createControl(state, {
    advance(ms) {
      advancedMs += ms
    },
  })

  const app = Fastify({ bodyLimit: 10_000_000, forceCloseConnections: true })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, formbody.parse(String(body))),
  )
  state.accounts.routes(app)
  const books = createBooks(options.books, { now })
  booksControl(app, books)
  registerApi(app, state, [...API_ROUTES, booksRoutes(books), itemGroupRoutes(groups), priceBookRoutes(priceBooks)])
  const webhooks = createWebhooks({ store: state.store, zone })
  webhooks.routes(app)
  routes(app)
  url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })

  return {
    url,
    ...control,
    books,
    crm: state.crm,
    locations: state.locations,
    groups,
    priceBooks,
    webhooks,
    zohoTime: (at: Date) => zohoTime(at, zone),
    imageBytes: (id: string) => state.imageBytes(state.store.find(id)!),
    async close() {
      faults.close()
      await app.close()
    },
  }
}
