import { randomUUID } from 'node:crypto'
import formbody from 'node:querystring'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { type CatalogueOptions, createCatalogue, type SimulatedItem } from './catalogue.ts'
import { createMeter, type Limits, NO_LIMITS } from './limits.ts'
import { drawPicture } from './picture.ts'
import { itemRow, secondsToMidnight, zohoTime } from './wire.ts'

/** What a test or the demo asks the next matching calls to do wrong. */
export interface Fault {
  /** Matched against the path; the first fault that matches is used up. */
  path: RegExp
  times: number
  status?: number
  /** Sent instead of the answer. */
  body?: string | Buffer
  contentType?: string
  /** The connection is cut: before the answer, or in the middle of the body. */
  cut?: 'reset' | 'body'
}

export interface SimulatorOptions extends CatalogueOptions {
  port?: number
  items?: SimulatedItem[]
  limits?: Limits
  /** The simulator's time; tests give one that runs faster or stands still. */
  now?(): number
  zone?: string
  /** Pictures other than the drawn ones, e.g. real photographs; by item. */
  pictureOf?(item: SimulatedItem): Promise<Buffer>
}

/** Obviously false, so that nobody mistakes them for real ones. */
export const FAKE_CREDENTIALS = {
  clientId: '1000.FAKECLIENT',
  clientSecret: 'fake-client-secret',
  refreshToken: 'fake-refresh-token',
  organizationId: '460000001',
}

const TOKEN_LIFE_MS = 3_600_000
const TOKENS_PER_10_MINUTES = 10
const LIVE_TOKENS = 15
const SORTABLE = new Set(['name', 'sku', 'rate', 'purchase_rate', 'created_time', 'last_modified_time', 'reorder_level', 'stock_on_hand'])
const HEADERS = { server: 'ZGS', 'cache-control': 'no-store, no-cache, must-revalidate, max-age=0', pragma: 'no-cache' }

export type ZohoSimulator = Awaited<ReturnType<typeof startZohoSimulator>>

/**
 * A Zoho that listens on loopback, written from Zoho's documented behaviour and not from zinc's client.
 * One address serves the accounts host and the API host. Steered from tests by the returned object, and over HTTP under `/_control`.
 */
export async function startZohoSimulator(options: SimulatorOptions = {}) {
  const { zone = 'Asia/Baghdad' } = options
  const limits = { ...(options.limits ?? NO_LIMITS) }
  let advancedMs = 0
  const now = () => (options.now ?? Date.now)() + advancedMs
  let items = options.items ?? createCatalogue(options)
  let byModified: SimulatedItem[] | null = null
  const faults: Fault[] = []
  const beforePage: ((page: number) => void)[] = []
  const tokens: { value: string; expires: number }[] = []
  const tokenTimes: number[] = []
  const counters = { token: 0, list: 0, details: 0, images: 0, perImage: new Map<string, number>() }
  let midnight = 0
  const untilMidnight = () => {
    if (now() >= midnight) midnight = now() + secondsToMidnight(new Date(now()), zone) * 1000
    return Math.max(1, Math.round((midnight - now()) / 1000))
  }
  const meter = createMeter({ limits, now, untilMidnight })
  const pictures = new Map<string, Promise<Buffer>>()
  let revoked = false

  const app = Fastify({ bodyLimit: 10_000_000 })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, formbody.parse(String(body))),
  )

  app.all('/oauth/v2/token', async (request, reply) => {
    counters.token++
    if (request.method !== 'POST') return reply.code(400).send({ error: 'invalid_request' })
    const given = { ...(request.query as Record<string, string>), ...(request.body as Record<string, string> | null) }
    if (faulty(request, reply)) return reply
    if (!given.grant_type) return reply.code(400).send({ error: 'invalid_request' })
    if (given.client_id !== FAKE_CREDENTIALS.clientId) return { error: 'invalid_client' }
    if (given.client_secret !== FAKE_CREDENTIALS.clientSecret) return { error: 'invalid_client_secret' }
    if (given.refresh_token !== FAKE_CREDENTIALS.refreshToken || revoked) return { error: 'invalid_code' }
    while (tokenTimes.length > 0 && now() - tokenTimes[0]! >= 600_000) tokenTimes.shift()
    if (tokenTimes.length >= TOKENS_PER_10_MINUTES) {
      const text = 'You have made too many requests continuously. Please try again after some time.'
      return reply.code(400).send({ error_description: text, error: 'Access Denied', status: 'failure' })
    }
    tokenTimes.push(now())
    const token = { value: `1000.fake.${randomUUID()}`, expires: now() + TOKEN_LIFE_MS }
    tokens.push(token)
    if (tokens.length > LIVE_TOKENS) tokens.shift()
    return {
      access_token: token.value,
      scope: 'ZohoInventory.items.READ,ZohoInventory.settings.READ',
      api_domain: address(),
      token_type: 'Bearer',
      expires_in: 3600,
    }
  })

  /** True when a scripted fault has answered. */
  function faulty(request: FastifyRequest, reply: FastifyReply): boolean {
    const fault = faults.find((it) => it.times > 0 && it.path.test(request.url))
    if (!fault) return false
    fault.times--
    if (fault.cut) {
      reply.hijack()
      if (fault.cut === 'reset') reply.raw.destroy()
      else {
        reply.raw.writeHead(200, { 'content-type': 'application/json;charset=UTF-8', 'content-length': '5000' })
        reply.raw.write('{"code":0,"items":[{"item_id":"46', () => reply.raw.destroy())
      }
      return true
    }
    void reply
      .code(fault.status ?? 200)
      .type(fault.contentType ?? 'application/json;charset=UTF-8')
      .send(fault.body ?? '')
    return true
  }

  app.register(async (api) => {
    api.addHook('onRequest', async (request, reply) => {
      const [scheme, value] = (request.headers.authorization ?? '').split(' ')
      const token = tokens.find((it) => it.value === value && it.expires > now())
      if ((scheme !== 'Zoho-oauthtoken' && scheme !== 'Bearer') || !token) {
        return reply.code(401).send({ code: 57, message: 'You are not authorized to perform this operation' })
      }
      const organization = (request.query as { organization_id?: string }).organization_id
      if (request.url.includes('/organizations')) return
      if (organization !== FAKE_CREDENTIALS.organizationId) {
        return reply
          .code(400)
          .send({ code: 6041, message: `This user is not associated with the CompanyID/CompanyName:${organization ?? ''}.` })
      }
      const refusal = meter.enter()
      reply.headers({
        ...HEADERS,
        'x-rate-limit-limit': String(limits.perDay),
        'x-rate-limit-remaining': String(meter.left()),
        'x-rate-limit-reset': String(untilMidnight()),
      })
      if (refusal) return reply.code(429).send(refusal)
      reply.raw.once('close', meter.leave)
      if (faulty(request, reply)) return reply
    })

    api.get('/inventory/v1/organizations', async () => ({
      code: 0,
      message: 'success',
      organizations: [
        {
          organization_id: FAKE_CREDENTIALS.organizationId,
          name: 'Demo Electronics',
          currency_code: 'USD',
          time_zone: zone,
          is_default_org: true,
        },
      ],
    }))

    api.get<{ Querystring: Record<string, string | undefined> }>('/inventory/v1/items', async ({ query }, reply) => {
      counters.list++
      const page = Math.max(1, Number(query.page ?? 1) || 1)
      const perPage = Math.min(200, Number(query.per_page ?? 200) || 200)
      const column = query.sort_column ?? 'name'
      const order = query.sort_order === 'D' ? 'D' : 'A'
      const wrong = (what: string) => reply.code(400).send({ code: 2, message: `Invalid value passed for ${what}` })
      if (!SORTABLE.has(column)) return wrong('sort_column')
      const filter = query.filter_by ?? 'Status.All'
      if (!['Status.All', 'Status.Active', 'Status.Inactive'].includes(filter)) return wrong('filter_by')
      let from = Number.NEGATIVE_INFINITY
      if (query.last_modified_time !== undefined) {
        const form = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d)(\d\d)$/.exec(query.last_modified_time)
        if (!form) return wrong('last_modified_time')
        from = Date.parse(`${form[1]}${form[2]}:${form[3]}`)
      }
      beforePage.shift()?.(page)
      let rows = sorted(column)
      if (column === 'last_modified_time') rows = rows.slice(firstFrom(rows, from))
      else rows = rows.filter((item) => item.modified.getTime() >= from)
      if (filter !== 'Status.All') rows = rows.filter((item) => item.status === filter.slice(7).toLowerCase())
      if (order === 'D') rows = [...rows].reverse()
      const start = (page - 1) * perPage
      reply.header('content-disposition', 'attachment;')
      return {
        code: 0,
        message: 'success',
        items: rows.slice(start, start + perPage).map((item) => itemRow(item, zone)),
        page_context: {
          page,
          per_page: perPage,
          has_more_page: rows.length > start + perPage,
          report_name: 'Items',
          applied_filter: filter,
          custom_fields: [],
          sort_column: column,
          sort_order: order,
        },
      }
    })

    api.get<{ Querystring: { item_ids?: string } }>('/inventory/v1/itemdetails', async ({ query }) => {
      counters.details++
      const wanted = new Set((query.item_ids ?? '').split(','))
      return { code: 0, message: 'success', items: items.filter((item) => wanted.has(item.item_id)).map((item) => itemRow(item, zone)) }
    })

    async function picture(item: SimulatedItem | undefined, reply: FastifyReply) {
      counters.images++
      if (!item || item.image_document_id === '') return reply.code(404).send({ code: 1002, message: 'Image does not exist.' })
      counters.perImage.set(item.item_id, (counters.perImage.get(item.item_id) ?? 0) + 1)
      const bytes = await pictureBytes(item)
      return reply
        .type('image/jpeg')
        .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(item.image_name)}`)
        .send(bytes)
    }
    api.get<{ Params: { id: string } }>('/inventory/v1/items/:id/image', async ({ params }, reply) => picture(find(params.id), reply))
    api.get<{ Params: { id: string } }>('/inventory/v1/documents/:id', async ({ params }, reply) =>
      picture(
        items.find((item) => item.image_document_id === params.id),
        reply,
      ),
    )
    api.get<{ Params: { id: string } }>('/inventory/v1/items/:id', async ({ params }, reply) => {
      const item = find(params.id)
      if (!item) return reply.code(404).send({ code: 1002, message: 'Item does not exist.' })
      const { image_document_id, has_attachment, ...rest } = itemRow(item, zone)
      return {
        code: 0,
        message: 'success',
        item: { ...rest, documents: [], ...(image_document_id !== '' && { image_document_id, has_attachment }) },
      }
    })
  })

  app.get('/_control/counters', async () => ({
    ...counters,
    perImage: undefined,
    calls: meter.seen.calls,
    refused: meter.seen.refused,
    max_in_minute: meter.seen.maxInMinute,
    max_in_flight: meter.seen.maxInFlight,
    items: items.length,
  }))
  // The same steering from other processes. Bodies are JSON; a fault's path is a regular expression as text.
  app.post<{ Body: Omit<Fault, 'path'> & { path: string } }>('/_control/faults', async ({ body }) => {
    control.fail({ ...body, path: new RegExp(body.path) })
    return { faults: faults.length }
  })
  app.post<{ Body: { advance_ms: number } }>('/_control/clock', async ({ body }) => {
    advancedMs += body.advance_ms
    return { now: new Date(now()).toISOString() }
  })
  app.post<{ Body: Partial<Limits> }>('/_control/limits', async ({ body }) => Object.assign(limits, body))
  app.post<{ Params: { id: string }; Body: Partial<SimulatedItem> }>('/_control/items/:id', async ({ params, body }) => {
    control.edit(params.id, body)
    return find(params.id)
  })
  app.delete<{ Params: { id: string } }>('/_control/items/:id', async ({ params }) => {
    control.remove(params.id)
    return { items: items.length }
  })
  /** Edits the item just before the next list page but `skip` is read: a change in mid-scan. */
  app.post<{ Body: { skip: number; id: string; change: Partial<SimulatedItem> } }>('/_control/before-page', async ({ body }) => {
    control.beforePages(...Array.from({ length: body.skip }, () => () => {}), () => control.edit(body.id, body.change))
    return { pages: beforePage.length }
  })

  function pictureBytes(item: SimulatedItem): Promise<Buffer> {
    if (options.pictureOf) return options.pictureOf(item)
    const key = `${item.image_seed} ${item.category}`
    const drawn = pictures.get(key) ?? drawPicture({ seed: item.image_seed, category: item.category })
    pictures.set(key, drawn)
    if (pictures.size > 3_000) pictures.delete(pictures.keys().next().value!)
    return drawn
  }

  const byId = new Map(items.map((item) => [item.item_id, item]))
  const find = (id: string) => byId.get(id)
  const changed = () => {
    byModified = null
  }
  function sorted(column: string): SimulatedItem[] {
    if (column === 'last_modified_time') {
      byModified ??= [...items].sort((a, b) => a.modified.getTime() - b.modified.getTime() || (a.item_id < b.item_id ? -1 : 1))
      return byModified
    }
    const key = (item: SimulatedItem) =>
      column === 'created_time' ? item.created.getTime() : column === 'rate' ? item.rate : column === 'sku' ? item.sku : item.name
    return [...items].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
  }
  function firstFrom(rows: SimulatedItem[], from: number): number {
    let [low, high] = [0, rows.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (rows[middle]!.modified.getTime() < from) low = middle + 1
      else high = middle
    }
    return low
  }
  const second = () => new Date(Math.floor(now() / 1000) * 1000)

  const control = {
    counters,
    meter: meter.seen,
    items: () => items,
    fail: (fault: Fault) => void faults.push(fault),
    /** Runs just before the next list pages are read, one function a page: for changes in mid-scan. */
    beforePages: (...changes: ((page: number) => void)[]) => void beforePage.push(...changes),
    /** As in Zoho, an edit makes the row newer. */
    edit(id: string, change: Partial<SimulatedItem>) {
      const item = find(id)
      if (!item) throw new Error(`no item ${id}`)
      Object.assign(item, { modified: second() }, change)
      changed()
    },
    add(item: SimulatedItem) {
      items.push(item)
      byId.set(item.item_id, item)
      changed()
    },
    remove(id: string) {
      items = items.filter((item) => item.item_id !== id)
      byId.delete(id)
      changed()
    },
    expireTokens: () => tokens.splice(0),
    revoke: () => {
      revoked = true
      tokens.splice(0)
    },
    zohoTime: (at: Date) => zohoTime(at, zone),
    pictureBytes: (id: string) => pictureBytes(find(id)!),
  }

  let url = ''
  const address = () => url
  url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  return { url, ...control, close: () => app.close() }
}
