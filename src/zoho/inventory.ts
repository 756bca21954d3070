import type { ZohoBytes, ZohoClient } from './client.ts'
import { listByModification } from './listing.ts'
import { ZohoItem } from './wire.ts'

/** Items of the organisation in the order of their modification, pages of at most 200; each row names its picture, so no detail call is needed. */
export function listItems(
  client: ZohoClient,
  { from, runId }: { from: Date | null; runId?: string | undefined },
  signal: AbortSignal,
): AsyncGenerator<ZohoItem[]> {
  return listByModification(
    client,
    {
      path: '/inventory/v1/items',
      key: 'items',
      query: { filter_by: 'Status.All' },
      read: (row) => ZohoItem.parse(row),
      idOf: (item) => item.item_id,
      modifiedOf: (item) => item.last_modified_time,
      from,
      job: 'items',
      runId,
    },
    signal,
  )
}

/** How many ids one call may carry: about 2 KB of address. */
const IDS_PER_CALL = 100

/** Which of these items Zoho still has; unknown ids are left out of the answer rather than failing it. */
export async function existingItems(client: ZohoClient, ids: string[], signal: AbortSignal): Promise<Set<string>> {
  const found = new Set<string>()
  for (let at = 0; at < ids.length; at += IDS_PER_CALL) {
    const { body } = await client.json(
      { path: '/inventory/v1/itemdetails', query: { item_ids: ids.slice(at, at + IDS_PER_CALL).join(',') }, job: 'items' },
      signal,
    )
    for (const row of Array.isArray(body.items) ? body.items : []) found.add(ZohoItem.parse(row).item_id)
  }
  return found
}

/** The bytes of an item's main picture. Throws NothingThere when Zoho has none. */
export function itemImage(
  client: ZohoClient,
  { itemId, runId }: { itemId: string; runId?: string | undefined },
  signal: AbortSignal,
): Promise<ZohoBytes> {
  return client.bytes({ path: `/inventory/v1/items/${encodeURIComponent(itemId)}/image`, job: 'image', runId }, signal)
}
