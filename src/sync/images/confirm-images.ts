import type { Database } from '../../database/client.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { ZohoNotFoundError } from '../../zoho/errors.ts'
import { itemImage, itemsById } from '../../zoho/inventory.ts'
import type { ZohoItem } from '../../zoho/read-item.ts'

/**
 * Items of one page whose image itself is requested. The others keep their image, and the next full
 * sync confirms them.
 */
const MAX_IMAGE_CALLS = 20

interface ConfirmDeps {
  db: Database
  zoho: ZohoClient
  runId: string
  signal: AbortSignal
}

/**
 * Settles the main image of items whose row has no `image_document_id`. An image that another key
 * names stays. One that seems removed is confirmed first, by the item's detail and, where that has
 * no key either, by requesting the image. Makes no call where every row has the key.
 */
export async function confirmImages(
  { db, zoho, runId, signal }: ConfirmDeps,
  items: ZohoItem[],
  { areDetails = false }: { areDetails?: boolean } = {},
): Promise<void> {
  const unclear = items.filter((item) => item.image_signs !== undefined)
  if (unclear.length === 0) return
  const rows = await db.product.findMany({
    where: { zoho_item_id: { in: unclear.map((item) => item.item_id) }, zoho_image_id: { not: null }, deleted_at: null },
    select: { zoho_item_id: true },
  })
  const held = new Set(rows.map((row) => row.zoho_item_id))
  let open = unclear.filter((item) => isOpen(item, item))
  if (!areDetails && open.length > 0) {
    const { found: details } = await itemsById(zoho, { ids: open.map((item) => item.item_id), runId }, signal)
    open = open.filter((item) => isOpen(item, details.get(item.item_id) ?? item))
  }
  let calls = 0
  for (const item of open) {
    if (!held.has(item.item_id)) item.unreadable.push('image_document_id')
    else if (++calls <= MAX_IMAGE_CALLS && (await hasNoImage(item.item_id))) setNone(item)
  }

  /** Applies what `from` says about the item's image; returns true where that is not enough. */
  function isOpen(item: ZohoItem, from: ZohoItem): boolean {
    if (from.image_document_id !== undefined) {
      item.image_document_id = from.image_document_id
      item.image_name = from.image_name ?? null
      return false
    }
    if (from.unreadable.includes('image_document_id')) return false
    if (!held.has(item.item_id)) {
      if (from.image_signs === 'blank') return false
      if (from.image_candidate === undefined) return true
      item.image_document_id = from.image_candidate
      return false
    }
    return from.image_signs === 'blank'
  }

  async function hasNoImage(itemId: string): Promise<boolean> {
    try {
      const { body, done } = await itemImage(zoho, { itemId, runId }, signal)
      body.destroy()
      await done()
      return false
    } catch (error) {
      signal.throwIfAborted()
      // Any other error (a rate limit, an outage) is no reason to remove an image.
      return error instanceof ZohoNotFoundError
    }
  }
}

function setNone(item: ZohoItem): void {
  item.image_document_id = null
  item.image_name = null
}
