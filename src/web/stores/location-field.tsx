import { NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Location } from '../../schemas/locations.ts'
import { request } from '../api/request.ts'
import { useMessages } from '../i18n/language.tsx'
import { storesMessages } from './messages.ts'

/** The store's location in Zoho; a shop without locations has nothing to choose. */
export function LocationField({ value, onChange }: { value: string; onChange(id: string): void }) {
  const m = useMessages(storesMessages)
  const { data = [] } = useQuery({
    queryKey: ['locations'],
    staleTime: 300_000,
    queryFn: ({ signal }) => request<{ data: Location[] }>('/api/locations', { signal }).then(({ data }) => data),
  })
  if (data.length === 0 && value === '') return null
  const isKnown = value === '' || data.some(({ id }) => id === value)
  return (
    <NativeSelect
      label={m.location}
      description={m.locationHint}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={[
        { value: '', label: m.allLocations },
        ...data.map(({ id, name, status }) => ({ value: id, label: status === 'active' ? name : m.inactiveLocation({ name }) })),
        // Zoho no longer lists it: kept until another one is chosen.
        ...(isKnown ? [] : [{ value, label: value }]),
      ]}
    />
  )
}
