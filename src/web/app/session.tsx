import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, use, useEffect } from 'react'
import { isAtLeast, type Role } from '../../facts/roles.ts'
import { toApiError } from '../api/api-error.ts'
import { AUTH } from '../api/endpoints.ts'
import { request, sessionEnd } from '../api/request.ts'

export interface CurrentUser {
  user_id: string
  username: string
  role: Role
  second_factor: { recovery_codes_left: number } | null
  must_set_up_second_factor: boolean
  untrusted_proxy: string | null
  version: string
}

export const sessionKey = ['session'] as const

/**
 * What one person saw must not be shown to the next. The session itself stays: it is being watched.
 */
export const clearCache = (client: QueryClient) => client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] })

const PersonContext = createContext<CurrentUser | null>(null)

/** Who is logged in: undefined while asking, null when nobody is. */
export function useSession() {
  const client = useQueryClient()
  useEffect(() => {
    const end = () => client.setQueryData(sessionKey, null)
    sessionEnd.addEventListener('end', end)
    return () => sessionEnd.removeEventListener('end', end)
  }, [client])
  return useQuery({
    queryKey: sessionKey,
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      request<{ data: CurrentUser }>(`${AUTH}/me`, { signal })
        .then(({ data }) => data)
        .catch((error: unknown) => {
          const status = toApiError(error).status
          if (status === 401 || status === 403) return null
          throw error
        }),
  })
}

export function CurrentUserProvider({ person, children }: { person: CurrentUser; children: ReactNode }) {
  return <PersonContext value={person}>{children}</PersonContext>
}

export function useCurrentUser(): CurrentUser {
  const person = use(PersonContext)
  if (!person) throw new Error('usePerson outside of a session')
  return person
}

/**
 * Whether the person has this role or a higher one. The server checks again; this only decides what
 * is offered.
 */
export const useHasRole = (least: Role): boolean => isAtLeast(useCurrentUser().role, least)
