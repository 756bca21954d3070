import type { FastifyInstance } from 'fastify'
import type { SimulatorState } from './api.ts'
import type { Fault } from './faults.ts'
import { stockByLocation } from './locations.ts'
import type { Limits } from './rate-limits.ts'
import type { SimulatedItem } from './seed.ts'
import type { SimulatorToggles } from './toggles.ts'

/**
 * The controls of one simulator: tests call them in this process, others over HTTP under
 * `/_control` with JSON bodies.
 */
export function createControl(state: SimulatorState, { advance }: { advance(ms: number): void }) {
  const { store, accounts, faults, meter, toggles, beforePage, counters } = state

  const control = {
    counters,
    meter: meter.seen,
    limits: state.limits,
    toggles,
    accounts,
    items: store.all,
    fail: faults.fail,
    clearFaults: faults.clear,
    beforePages: (...changes: ((page: number) => void)[]) => void beforePage.push(...changes),
    edit: store.edit,
    add: store.add,
    remove: store.remove,
    /** Sales and purchases: a toggle decides whether they make the row newer. */
    moveStock: (id: string, stock: number) => store.edit(id, { stock, stock_at: undefined }, { touches: toggles.stockTouchesModified }),
    /** The same in one location: the total follows. */
    moveStockAt(id: string, location: string, onHand: number) {
      const item = store.find(id)
      if (!item) throw new Error(`no item ${id}`)
      const entries = [...stockByLocation(item, state.locations)].flatMap(([at, has]) => (has === undefined ? [] : [[at, has] as const]))
      const stock_at = { ...Object.fromEntries(entries), [location]: onHand }
      const stock = Object.values(stock_at).reduce((sum, it) => sum + it, 0)
      store.edit(id, { stock_at, stock }, { touches: toggles.stockTouchesModified })
    },
    /**
     * Another image for an item: toggles decide whether its document id and the row's time change.
     */
    replaceImage(id: string, image_seed: number) {
      const item = store.find(id)
      const fresh = item?.image_document_id === '' || toggles.imageMakesNewDocument
      store.edit(
        id,
        { image_seed, ...(fresh && { image_document_id: `${BigInt(item?.item_id ?? 0) + 700_000_000n + BigInt(image_seed)}` }) },
        { touches: toggles.imageTouchesModified },
      )
    },
    expireTokens: accounts.expireTokens,
    revoke: accounts.revoke,
    advance,
  }

  function routes(app: FastifyInstance): void {
    app.get('/_control/counters', async () => ({
      ...counters,
      perImage: undefined,
      calls: meter.seen.calls,
      refused: meter.seen.refused,
      max_in_minute: meter.seen.maxInMinute,
      max_in_flight: meter.seen.maxInFlight,
      items: store.all().length,
    }))
    /** A fault's path is a regular expression as a string. */
    app.post<{ Body: Omit<Fault, 'path'> & { path: string } }>('/_control/faults', async ({ body }) => {
      faults.fail({ ...body, path: new RegExp(body.path) })
      return { faults: faults.list.length }
    })
    app.delete('/_control/faults', async () => {
      faults.clear()
      return { faults: 0 }
    })
    app.post<{ Body: { advance_ms: number } }>('/_control/clock', async ({ body }) => {
      advance(body.advance_ms)
      return { now: new Date(state.now()).toISOString() }
    })
    app.post<{ Body: Partial<Limits> }>('/_control/limits', async ({ body }) => Object.assign(state.limits, body))
    app.post<{ Body: Partial<SimulatorToggles> }>('/_control/switches', async ({ body }) => Object.assign(toggles, body))
    app.post<{ Body: { expire?: boolean; revoke?: boolean } }>('/_control/tokens', async ({ body }) => {
      if (body.expire) accounts.expireTokens()
      if (body.revoke) accounts.revoke()
      return { refresh_tokens: accounts.grants.length }
    })
    app.post<{ Params: { id: string }; Body: Partial<SimulatedItem> }>('/_control/items/:id', async ({ params, body }) => {
      store.edit(params.id, body)
      return store.find(params.id)
    })
    app.delete<{ Params: { id: string } }>('/_control/items/:id', async ({ params }) => {
      store.remove(params.id)
      return { items: store.all().length }
    })
    /**
     * Edits the item just before a later list page is read, after `skip` others: a change during a
     * listing.
     */
    app.post<{ Body: { skip: number; id: string; change: Partial<SimulatedItem> } }>('/_control/before-page', async ({ body }) => {
      control.beforePages(...Array.from({ length: body.skip }, () => () => {}), () => store.edit(body.id, body.change))
      return { pages: beforePage.length }
    })
  }
  return { control, routes }
}
