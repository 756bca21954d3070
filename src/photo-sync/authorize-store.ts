import { BadRequestError, ForbiddenError, NotFoundError } from '../lib/errors.ts'
import type { FeedSnapshot, FeedStore } from './change-feed.ts'

/**
 * Returns the store that a request is about. An edge server gets only its own store; for any other,
 * existing or not, it gets the same error, and it gets nothing while its store is paused. A user
 * learns that a store does not exist. Throws BadRequestError, ForbiddenError, NotFoundError.
 */
export function authorizeStore(snapshot: FeedSnapshot, storeId: string | undefined, edge: { store_id: string } | null): FeedStore {
  if (storeId === undefined || storeId === '')
    throw new BadRequestError('store_id_required', { fields: [{ field: 'store_id', message: 'is required' }] })
  if (edge && edge.store_id !== storeId.toLowerCase()) throw new ForbiddenError('store_mismatch')
  const store = snapshot.stores.get(storeId.toLowerCase())
  if (!store) throw new NotFoundError('store_not_found')
  if (edge && store.paused) throw new ForbiddenError('store_paused')
  return store
}
