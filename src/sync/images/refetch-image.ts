import type { RepairDeps } from '../../images/integrity/repair-run.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { documentImage, itemImage } from '../../zoho/inventory.ts'

/** Asks Zoho again for a picture whose bytes were lost here: the item's own, or a document of its gallery. */
export const refetchImage =
  (openZoho: () => Promise<ZohoClient>): NonNullable<RepairDeps['fromZoho']> =>
  async ({ zoho_item_id, document_id, place }, signal) => {
    const zoho = await openZoho()
    const { body, done } =
      place === 'gallery' && document_id !== null
        ? await documentImage(zoho, { documentId: document_id }, signal)
        : await itemImage(zoho, { itemId: zoho_item_id }, signal)
    return { body, close: done }
  }
