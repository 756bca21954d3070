import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, use, useEffect } from 'react'
import { asFailure } from '../api/api-error.ts'
import { AUTH } from '../api/endpoints.ts'
import { call, sessionEnd } from '../api/request.ts'
import type { Role } from './routes.ts'

export interface Person {
  user_id: string
  username: string
  role: Role
}

export const sessionKey = ['session'] as const

/** What one person saw must not be shown to the next. The session itself stays: it is being watched. */
export const forgetAllButSession = (client: QueryClient) =>
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] })

const PersonContext = createContext<Person | null>(null)
const RANK: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 }

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
      call<{ data: Person }>(`${AUTH}/me`, { signal })
        .then(({ data }) => data)
        .catch((error: unknown) => {
          const status = asFailure(error).status
          if (status === 401 || status === 403) return null
          throw error
        }),
  })
}

export function PersonProvider({ person, children }: { person: Person; children: ReactNode }) {
  return <PersonContext value={person}>{children}</PersonContext>
}

export function usePerson(): Person {
  const person = use(PersonContext)
  if (!person) throw new Error('usePerson outside of a session')
  return person
}

/** Whether the person has this role or a higher one. The server checks again; this only decides what is offered. */
export const useMay = (least: Role): boolean => RANK[usePerson().role] >= RANK[least]
export const isAtLeast = (role: Role, least: Role): boolean => RANK[role] >= RANK[least]
