/** Values that are alike wherever a parameter has this name. */
const BY_NAME: Record<string, unknown> = {
  a: 'sync_session_2026-11-29_02-00-00',
  'accounts-server': 'https://accounts.zoho.com',
  action: 'user.create',
  actor: 'admin',
  b: 'sync_session_2026-11-30_02-00-00',
  brand: 'Northwind',
  category: 'Lamps',
  code: 'image_download_failed',
  confirm_removals: 'false',
  cron: '*/15 * * * *',
  damaged: 'true',
  dismissed: 'false',
  dry_run: 'true',
  duplicates: 'true',
  edge_settings: 'true',
  error: 'access_denied',
  exp: '1796034600',
  failed: 'false',
  file: 'items.json',
  filename: '4815000000044208.jpg',
  from: '2026-11-01',
  group_id: '4815000000055101',
  has_image: 'true',
  id: '5f0c2a52-6b1e-4d0a-9f53-2d8f1c7b9a10',
  image_id: '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d',
  in_stock: 'true',
  include_deleted: 'false',
  job: 'items',
  kind: 'item_sync',
  limit: '100',
  location: 'us',
  location_id: '4815000000066001',
  modified_since: '2026-11-30T00:00:00Z',
  module: 'invoices',
  offset: '0',
  owned_by_zoho: 'false',
  peer_key: 'true',
  photo_id: '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d',
  price_list_id: '4815000000077001',
  record_id: '4815000000044208',
  search: 'lamp',
  session: 'sync_session_2026-11-30_02-00-00',
  sig: 'q2Zl8m0yJr7cVx1uKp5nWg',
  since: '2026-11-30T00:00:00Z',
  stage: 'image',
  state: 'c2f1b0e4',
  store_id: 'DOWNTOWN',
  sync_images: 'true',
  target: 'store:DOWNTOWN',
  to: '2026-11-30',
  total: 'true',
  unused: 'true',
  v: '8d2f6a1c',
  wait: 'true',
  without_alt: 'true',
}

/** Positions in lists are the server's own texts: the `next_cursor` of the page before. */
const CURSOR = 'WyIyMDI2LTExLTMwVDEwOjE1OjAwLjAwMFoiXQ'

/**
 * Returns an example of a path or query parameter that fits its schema: its default, the first of
 * its values, or one by its name. Undefined: the name is new, and the test of the document fails.
 */
export function exampleOfParameter({ name, schema }: { name: string; schema: Record<string, unknown> }, operationId: string): unknown {
  if (schema.default !== undefined) return schema.default
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 0
  if (schema.format === 'uuid') return BY_NAME.id
  if (name === 'cursor') return operationId === 'listProductChanges' ? 'latest' : CURSOR
  return BY_NAME[name]
}
