import { FormData } from 'undici'
import { BadGatewayError } from '../lib/errors.ts'
import type { ZohoBytes, ZohoClient } from './client.ts'
import { ZohoRequestError } from './errors.ts'
import { listByModification } from './paginate.ts'
import { ItemDocuments, readItem, type ZohoItem } from './schemas.ts'

/** The list of items, for whoever reads it: the item sync, and the pull that keeps rows as they are. */
export const ITEM_LIST = { path: '/inventory/v1/items', key: 'items', query: { filter_by: 'Status.All' } }

/** Items of the organisation in the order of their modification, pages of at most 200; each row names its picture, so no detail call is needed. */
export function listItems(
  client: ZohoClient,
  { from, runId, onUnreadable }: { from: Date | null; runId?: string | undefined; onUnreadable(row: unknown): void },
  signal: AbortSignal,
): AsyncGenerator<ZohoItem[]> {
  return listByModification(
    client,
    {
      ...ITEM_LIST,
      read: (row) => readItem(row),
      onUnreadable,
      idOf: (item) => item.item_id,
      modifiedOf: (item) => item.last_modified_time,
      from,
      job: 'items',
      runId,
    },
    signal,
  )
}

/** The smallest question, to see whether Zoho answers at all. Throws what client.json throws. */
export async function ping(client: ZohoClient, { runId }: { runId: string }, signal: AbortSignal): Promise<void> {
  await client.json({ path: ITEM_LIST.path, query: { ...ITEM_LIST.query, per_page: '1' }, job: 'items', runId }, signal)
}

/** How many ids one call may carry: about 2 KB of address. Zoho does not document its maximum. */
export const IDS_PER_CALL = 100

/**
 * The items of these ids as Zoho has them now; ids that it does not know are left out of the answer. When Zoho finds the address too long (414) or
 * wrong (400), it is asked for half as many at once.
 */
export async function itemsById(
  client: ZohoClient,
  { ids, runId }: { ids: string[]; runId?: string | undefined },
  signal: AbortSignal,
): Promise<Map<string, ZohoItem>> {
  return new Map((await itemDetails(client, { ids, runId, job: 'items' }, signal)).map(readItem).map((item) => [item.item_id, item]))
}

/** All pictures and other attachments of these items, in bulk. */
export async function itemDocuments(
  client: ZohoClient,
  { ids, runId }: { ids: string[]; runId?: string | undefined },
  signal: AbortSignal,
): Promise<Map<string, ItemDocuments>> {
  const rows = await itemDetails(client, { ids, runId, job: 'image' }, signal)
  return new Map(rows.map((row) => ItemDocuments.parse(row)).map((item) => [item.item_id, item]))
}

async function itemDetails(
  client: ZohoClient,
  { ids, runId, job }: { ids: string[]; runId?: string | undefined; job: string },
  signal: AbortSignal,
): Promise<unknown[]> {
  const found: unknown[] = []
  let atOnce = IDS_PER_CALL
  for (let at = 0; at < ids.length; ) {
    const some = ids.slice(at, at + atOnce)
    try {
      const { body } = await client.json({ path: '/inventory/v1/itemdetails', query: { item_ids: some.join(',') }, job, runId }, signal)
      if (!Array.isArray(body.items))
        throw new BadGatewayError('list_malformed', "Zoho's answer has no items", { remedy: 'zinc tries again at the next sync.' })
      found.push(...body.items)
      at += some.length
    } catch (error) {
      if (!(error instanceof ZohoRequestError) || some.length === 1) throw error
      atOnce = Math.ceil(some.length / 2)
    }
  }
  return found
}

/** The bytes of an item's main picture. Throws ZohoNotFoundError when Zoho has none. */
export function itemImage(
  client: ZohoClient,
  { itemId, runId, useBreaker = false }: { itemId: string; runId?: string | undefined; useBreaker?: boolean | undefined },
  signal: AbortSignal,
): Promise<ZohoBytes> {
  return client.bytes({ path: `/inventory/v1/items/${encodeURIComponent(itemId)}/image`, job: 'image', runId, useBreaker }, signal)
}

/** The bytes of one document, e.g. a further picture of an item. Throws ZohoNotFoundError when Zoho has it no more. */
export function documentImage(
  client: ZohoClient,
  { documentId, runId }: { documentId: string; runId?: string | undefined },
  signal: AbortSignal,
): Promise<ZohoBytes> {
  return client.bytes({ path: `/inventory/v1/documents/${encodeURIComponent(documentId)}`, job: 'image', runId, useBreaker: false }, signal)
}

/** Makes these bytes the item's main picture in Zoho. It needs a scope beyond reading. */
export async function setItemImage(
  client: ZohoClient,
  { itemId, bytes, filename, contentType }: { itemId: string; bytes: Buffer; filename: string; contentType: string },
  signal: AbortSignal,
): Promise<void> {
  const form = new FormData()
  form.append('image', new Blob([new Uint8Array(bytes)], { type: contentType }), filename)
  await client.json({ path: `/inventory/v1/items/${encodeURIComponent(itemId)}/image`, job: 'image', form }, signal)
}
