import { QueryClient } from '@tanstack/react-query'
import { toApiError } from './api-error.ts'

/** Worth another try by itself: the server is away or busy for a moment. */
const PASSING = new Set([0, 502, 503, 504])
const MAX_TRIES = 3

export const createQueryClient = () =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (tries, error) => tries < MAX_TRIES && PASSING.has(toApiError(error).status),
        retryDelay: (tries) => Math.min(500 * 2 ** tries, 4_000),
      },
      mutations: { retry: false },
    },
  })
