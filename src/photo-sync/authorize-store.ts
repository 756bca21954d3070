import { BadRequestError, ForbiddenError, NotFoundError } from '../lib/errors.ts'
import type { FeedSnapshot, FeedStore } from './change-feed.ts'

/**
 * The store that a request is about. An edge server gets its own store or the one refusal, whether the other exists or not, and nothing while its store is
 * paused; a person learns that a store does not exist. Throws BadRequestError, ForbiddenError, NotFoundError.
 */
export function authorizeStore(snapshot: FeedSnapshot, storeId: string | undefined, edge: { store_id: string } | null): FeedStore {
  if (storeId === undefined || storeId === '')
    throw new BadRequestError('store_id_required', 'store_id is required', {
      detail: { fields: [{ field: 'store_id', message: 'is required' }] },
      remedy: 'Add store_id=… to the query, or to the body of a POST.',
    })
  if (edge && edge.store_id !== storeId.toLowerCase())
    throw new ForbiddenError('store_mismatch', 'This token is not for that store', {
      remedy: 'Use the store_id that the token was made for.',
    })
  const store = snapshot.stores.get(storeId.toLowerCase())
  if (!store) throw new NotFoundError('store_not_found', 'Store not found', { remedy: 'GET /api/v1/stores lists them.' })
  if (edge && store.paused)
    throw new ForbiddenError('store_paused', 'This store is paused', {
      remedy: 'Ask again later. What the store has stays as it is; an admin lets it go on at head office.',
    })
  return store
}
