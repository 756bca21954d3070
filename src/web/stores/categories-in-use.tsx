import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import type { Category } from '../../schemas/products.ts'
import { request } from '../api/request.ts'
import { useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import { storesMessages } from './messages.ts'
import classes from './store-fields.module.css'

const SHOWN = 40

/**
 * The catalogue's categories, the largest first, each to be taken into the assortment or out of it
 * by one press.
 */
export function CategoriesInUse({ selection, onChange }: { selection: string[]; onChange(names: string[]): void }) {
  const m = useMessages(storesMessages)
  const format = useFormat()
  const id = useId()
  const { data } = useQuery({
    queryKey: ['categories'],
    staleTime: 300_000,
    queryFn: ({ signal }) => request<{ data: Category[] }>('/api/products/categories', { signal }).then(({ data }) => data),
  })
  // Without them the names are typed, as ever.
  if (!data || data.length === 0) return null
  const sorted = [...data].sort((a, b) => b.products - a.products)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out across the grid
    <div className={classes.inUse} role="group" aria-labelledby={id}>
      <span id={id} className={classes.inUseTitle}>
        {m.inUse}
      </span>
      {sorted.slice(0, SHOWN).map(({ name, products }) => {
        const pressed = selection.includes(name)
        return (
          <Button
            key={name}
            size="compact-sm"
            variant={pressed ? 'filled' : 'default'}
            aria-pressed={pressed}
            onClick={() => onChange(pressed ? selection.filter((one) => one !== name) : [...selection, name])}
          >
            <bdi>{name}</bdi>
            <span className={classes.count}>{format.number(products)}</span>
          </Button>
        )
      })}
      {sorted.length > SHOWN && <span className={classes.count}>{m.inUseMore({ count: sorted.length - SHOWN })}</span>}
    </div>
  )
}
