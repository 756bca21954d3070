import formbody from 'node:querystring'
import Fastify from 'fastify'
import { type ApiRoutes, type Counters, registerApi, type World } from './api.ts'
import { bookControl } from './books-control.ts'
import { bookRoutes } from './books-routes.ts'
import { type BookCounts, createBooks } from './books-store.ts'
import { createControl } from './control.ts'
import { createCrmShelf, crmRoutes } from './crm.ts'
import { drawPicture } from './draw-image.ts'
import { createFaults } from './faults.ts'
import { imageRoutes } from './images.ts'
import { createItemShelf } from './item-store.ts'
import { itemRoutes } from './items.ts'
import { createAccounts, FAKE_CREDENTIALS } from './oauth-server.ts'
import { DEFAULT_SWITCHES, type Switches } from './options.ts'
import { organizationRoutes } from './organizations.ts'
import { createMeter, type Limits, NO_LIMITS } from './rate-limits.ts'
import { GRANTED_SCOPES } from './scopes.ts'
import { type CatalogueOptions, createCatalogue, type SimulatedItem } from './seed.ts'
import { secondsToMidnight, zohoTime } from './serialize.ts'
import { createWebhooks } from './webhooks.ts'

export type { Fault } from './faults.ts'
export { environmentFor, FAKE_CREDENTIALS } from './oauth-server.ts'

/** Everything that the API host serves; a product of Zoho's is one file with its routes and one line here. */
const API_ROUTES: ApiRoutes[] = [organizationRoutes, itemRoutes, imageRoutes, crmRoutes]

export interface SimulatorOptions extends CatalogueOptions {
  port?: number
  items?: SimulatedItem[]
  /** How many records the modules of Books have. */
  books?: BookCounts
  limits?: Limits
  switches?: Partial<Switches>
  /** Records of each module of the CRM. */
  crmRows?: number
  /** What the account has been granted. */
  scopes?: string[]
  /** Other than the usual ones: a simulator of another data centre. */
  credentials?: typeof FAKE_CREDENTIALS
  /** The simulator's time; tests give one that runs faster or stands still. */
  now?(): number
  zone?: string
  /** Pictures other than the drawn ones, e.g. real photographs; by item. */
  pictureOf?(item: { image_seed: number; category: string } & Partial<SimulatedItem>): Promise<Buffer>
}

/** Drawn pictures are kept, since tests and the demo ask for them again. */
const KEPT_PICTURES = 3_000

export type ZohoSimulator = Awaited<ReturnType<typeof startZohoSimulator>>

/**
 * A Zoho that listens on loopback, written from Zoho's documented behaviour and not from zinc's client.
 * One address serves the accounts host and the API host. Steered from tests by the returned object, and over HTTP under `/_control`.
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
  const switches = { ...DEFAULT_SWITCHES, ...options.switches }
  const faults = createFaults()
  const counters: Counters = { token: 0, list: 0, details: 0, images: 0, perImage: new Map() }
  const pictures = new Map<string, Promise<Buffer>>()
  const world: World = {
    now,
    zone,
    credentials,
    limits,
    switches,
    faults,
    untilMidnight,
    url: () => url,
    meter: createMeter({ limits, now, untilMidnight }),
    accounts: createAccounts({ now, switches, faults, credentials, counters, scopes: options.scopes ?? GRANTED_SCOPES, url: () => url }),
    shelf: createItemShelf(options.items ?? createCatalogue(options), { now, lagMs: () => switches.listLagMs }),
    crm: createCrmShelf({ now, rows: options.crmRows ?? 25 }),
    counters,
    beforePage: [],
    pictureBytes(item) {
      if (options.pictureOf) return options.pictureOf(item)
      const key = `${item.image_seed} ${item.category}`
      const drawn = pictures.get(key) ?? drawPicture({ seed: item.image_seed, category: item.category })
      pictures.set(key, drawn)
      if (pictures.size > KEPT_PICTURES) pictures.delete(pictures.keys().next().value!)
      return drawn
    },
  }
  const { control, routes } = createControl(world, {
    advance(ms) {
      advancedMs += ms
    },
  })

  const app = Fastify({ bodyLimit: 10_000_000, forceCloseConnections: true })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, formbody.parse(String(body))),
  )
  world.accounts.routes(app)
  const books = createBooks(options.books, { now })
  bookControl(app, books)
  registerApi(app, world, [...API_ROUTES, bookRoutes(books)])
  const webhooks = createWebhooks({ shelf: world.shelf, zone })
  webhooks.routes(app)
  routes(app)
  url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })

  return {
    url,
    ...control,
    books,
    crm: world.crm,
    webhooks,
    zohoTime: (at: Date) => zohoTime(at, zone),
    pictureBytes: (id: string) => world.pictureBytes(world.shelf.find(id)!),
    async close() {
      faults.close()
      await app.close()
    },
  }
}
