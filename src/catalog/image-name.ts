const SAFE = /^[A-Za-z0-9_-]{1,64}$/

/** What files and addresses of a product's picture are called: Zoho's id, or ours where Zoho does not know the product or its id could not be a file's name. */
export const imageName = ({ id, zoho_item_id }: { id: string; zoho_item_id: string | null }): string =>
  zoho_item_id !== null && SAFE.test(zoho_item_id) ? zoho_item_id : id
