import { FormData } from 'undici'
import { BadGatewayError } from '../lib/errors.ts'
import { rawElements, rawMember } from '../lib/raw-json.ts'
import type { ZohoBytes, ZohoClient } from './client.ts'
import { ZohoNotFoundError, ZohoRequestError } from './errors.ts'
import { listByModification } from './paginate.ts'
import { readItem, settleGroups, type ZohoItem } from './read-item.ts'

/** The list of items, for the item sync and for the pull that keeps rows as they are. */
export const ITEM_LIST = { path: '/inventory/v1/items', key: 'items', query: { filter_by: 'Status.All' } }

/**
 * Yields the organization's items in the order of modification, in pages of at most 200; each row
 * names its image, so no detail call is needed.
 */
export async function* listItems(
  client: ZohoClient,
  { from, runId, onUnreadable }: { from: Date | null; runId?: string | undefined; onUnreadable(row: unknown): void },
  signal: AbortSignal,
): AsyncGenerator<ZohoItem[]> {
  const pages = listByModification(
    client,
    {
      ...ITEM_LIST,
      withText: true,
      read: (row, text) => readItem(row, text, client.timeZone()),
      onUnreadable,
      idOf: (item) => item.item_id,
      modifiedOf: (item) => item.last_modified_time ?? null,
      from,
      job: 'items',
      runId,
    },
    signal,
  )
  let named = { group: false, attributes: false }
  for await (const page of pages) {
    named = settleGroups(page, named)
    yield page
  }
}

/** The cheapest request, to learn whether Zoho answers at all. Throws what client.json throws. */
export async function ping(client: ZohoClient, { runId }: { runId: string }, signal: AbortSignal): Promise<void> {
  await client.json({ path: ITEM_LIST.path, query: { ...ITEM_LIST.query, per_page: '1' }, job: 'items', runId }, signal)
}

/** How many ids one call may carry: a URL of about 2 KB. Zoho does not document its maximum. */
export const IDS_PER_CALL = 100
/** If Zoho refuses more ids than this, the request itself is wrong, not the ids. */
const MAX_REFUSED = 20
/** Zoho's ids are digits; anything else came from a file. */
export const ITEM_ID = /^\d{1,20}$/

export interface ItemsById {
  found: Map<string, ZohoItem>
  /**
   * Ids whose state is unknown: Zoho refused them, or sent a row without an id instead. Their items
   * may exist.
   */
  refused: string[]
}

/**
 * Returns the items of these ids with all that only details contain; ids that Zoho does not know
 * are in neither part of the result. A call that is too long (414) or wrong (400) is halved until
 * each refused id is alone, so that one bad id never fails the others.
 */
export async function itemsById(
  client: ZohoClient,
  { ids, runId, job = 'items' }: { ids: string[]; runId?: string | undefined; job?: 'items' | 'image' | 'stock' },
  signal: AbortSignal,
): Promise<ItemsById> {
  const found = new Map<string, ZohoItem>()
  // Zoho might refuse the whole call for one of these.
  const refused = ids.filter((id) => !ITEM_ID.test(id))
  const askable = ids.filter((id) => ITEM_ID.test(id))
  let atOnce = IDS_PER_CALL

  async function read(some: string[]): Promise<void> {
    const { body, text } = await client.json({ path: '/inventory/v1/itemdetails', query: { item_ids: some.join(',') }, job, runId }, signal)
    if (!Array.isArray(body.items)) throw new BadGatewayError('list_malformed', { key: 'items' })
    let unreadable = 0
    const texts = rawElements(rawMember(text, 'items') ?? '[]')
    for (const [n, row] of body.items.entries()) {
      try {
        const item = readItem(row, texts[n], client.timeZone())
        found.set(item.item_id, item)
      } catch {
        unreadable++
      }
    }
    // It is unknown which id such a row belongs to, so no missing id may count as deleted.
    if (unreadable > 0) refused.push(...some.filter((id) => !found.has(id)))
  }

  async function readHalves(some: string[]): Promise<void> {
    const middle = Math.ceil(some.length / 2)
    for (const half of [some.slice(0, middle), some.slice(middle)]) {
      try {
        await read(half)
      } catch (error) {
        if (error instanceof ZohoNotFoundError && half.length === 1) continue
        if (!isRefusal(error)) throw error
        if (half.length > 1) await readHalves(half)
        else if (refused.push(half[0]!) > MAX_REFUSED) throw error
      }
    }
  }

  for (let at = 0; at < askable.length; ) {
    const some = askable.slice(at, at + atOnce)
    try {
      await read(some)
      at += some.length
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (some.length === 1) {
        if (!(error instanceof ZohoNotFoundError)) refused.push(some[0]!)
        at++
      } else if (error.code === 'http_414') atOnce = Math.ceil(some.length / 2)
      else {
        const before = refused.length
        await readHalves(some)
        at += some.length
        // Both halves were accepted, so only their number was too large.
        if (refused.length === before && !(error instanceof ZohoNotFoundError)) atOnce = Math.ceil(some.length / 2)
      }
    }
  }
  return { found, refused }
}

const isRefusal = (error: unknown): error is ZohoRequestError | ZohoNotFoundError =>
  error instanceof ZohoRequestError || error instanceof ZohoNotFoundError

export interface ImageRequest {
  itemId: string
  runId?: string | undefined
  useBreaker?: boolean | undefined
  job?: 'image' | 'recheck' | undefined
}

/** Returns the bytes of an item's main image. Throws ZohoNotFoundError when Zoho has none. */
export function itemImage(
  client: ZohoClient,
  { itemId, runId, useBreaker = false, job = 'image' }: ImageRequest,
  signal: AbortSignal,
): Promise<ZohoBytes> {
  return client.bytes({ path: `/inventory/v1/items/${encodeURIComponent(itemId)}/image`, job, runId, useBreaker }, signal)
}

/**
 * Returns the bytes of one document, for example a further image of an item. Throws
 * ZohoNotFoundError when Zoho no longer has it.
 */
export function documentImage(
  client: ZohoClient,
  { documentId, runId }: { documentId: string; runId?: string | undefined },
  signal: AbortSignal,
): Promise<ZohoBytes> {
  return client.bytes({ path: `/inventory/v1/documents/${encodeURIComponent(documentId)}`, job: 'image', runId, useBreaker: false }, signal)
}

/** Makes these bytes the item's main image in Zoho. Needs a scope beyond reading. */
export async function setItemImage(
  client: ZohoClient,
  { itemId, bytes, filename, contentType }: { itemId: string; bytes: Buffer; filename: string; contentType: string },
  signal: AbortSignal,
): Promise<void> {
  const form = new FormData()
  form.append('image', new Blob([new Uint8Array(bytes)], { type: contentType }), filename)
  await client.json({ path: `/inventory/v1/items/${encodeURIComponent(itemId)}/image`, job: 'image', form }, signal)
}
