import { TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import Search from 'lucide-react/icons/search'
import { type KeyboardEvent, type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { isAtLeast } from '../../facts/roles.ts'
import type { StoreStatus } from '../../schemas/photo-sync.ts'
import type { ProductsResponse } from '../../schemas/products.ts'
import type { Run } from '../../schemas/runs.ts'
import { ZOHO } from '../api/endpoints.ts'
import { request } from '../api/request.ts'
import { Dialog } from '../components/dialog.tsx'
import { Ltr } from '../components/ltr.tsx'
import { useLanguage, useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import { ProductImage } from '../products/product-image.tsx'
import { productNames } from '../products/product-names.ts'
import { useRunLabels } from '../runs/run-labels.ts'
import { frameMessages } from './messages.ts'
import { HOME } from './paths.ts'
import { ROUTES } from './routes.ts'
import classes from './search-dialog.module.css'
import { useCurrentUser } from './session.tsx'

const TYPING_MS = 150
const MOST = 6
const RECENT_RUNS = 50

interface Hit {
  key: string
  href: string
  text: ReactNode
  note?: ReactNode
  icon?: ReactNode
}
interface Group {
  title: string
  hits: Hit[]
}

/** Finds pages, products, stores and runs; arrow keys choose, Enter opens. */
export default function SearchDialog({ onClose }: { onClose(): void }) {
  const m = useMessages(frameMessages)
  const [, navigate] = useLocation()
  const [text, setText] = useState('')
  const [active, setActive] = useState(0)
  const groups = useHits(text.trim())
  const hits = groups.flatMap((group) => group.hits)
  const current = Math.min(active, hits.length - 1)
  const open = (hit: Hit | undefined) => {
    if (!hit) return
    onClose()
    navigate(hit.href)
  }
  const press = (event: KeyboardEvent) => {
    const next = { ArrowDown: current + 1, ArrowUp: current - 1 }[event.key]
    if (next !== undefined) {
      event.preventDefault()
      const index = Math.max(0, Math.min(hits.length - 1, next))
      setActive(index)
      document.getElementById(`search-hit-${index}`)?.scrollIntoView({ block: 'nearest' })
    } else if (event.key === 'Enter') {
      event.preventDefault()
      open(hits[current])
    }
  }
  let index = -1
  return (
    <Dialog opened onClose={onClose} title={m.searchAll} size="lg">
      <TextInput
        data-autofocus
        type="text"
        inputMode="search"
        role="combobox"
        aria-label={m.searchAll}
        aria-expanded={hits.length > 0}
        aria-controls="search-hits"
        aria-autocomplete="list"
        {...(hits.length > 0 && { 'aria-activedescendant': `search-hit-${current}` })}
        placeholder={m.searchAllHint}
        leftSection={<Search size={16} aria-hidden />}
        {...(text !== '' && { dir: 'auto' })}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setActive(0)
        }}
        onKeyDown={press}
      />
      <div id="search-hits" role="listbox" aria-label={m.searchAll} className={classes.hits}>
        {groups.map(({ title, hits: found }) => (
          // biome-ignore lint/a11y/useSemanticElements: options of a listbox are grouped by role
          <div key={title} role="group" aria-label={title}>
            <p className={classes.title} aria-hidden>
              {title}
            </p>
            {found.map((hit) => {
              index += 1
              const place = index
              return (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the field's
                <div
                  key={hit.key}
                  id={`search-hit-${place}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={place === current}
                  className={classes.hit}
                  onMouseMove={() => setActive(place)}
                  onClick={() => open(hit)}
                >
                  {hit.icon}
                  <span className={classes.text}>{hit.text}</span>
                  {hit.note && <span className={classes.note}>{hit.note}</span>}
                </div>
              )
            })}
          </div>
        ))}
      </div>
      <p role="status" className={classes.none}>
        {text !== '' && hits.length === 0 && m.searchNone}
      </p>
    </Dialog>
  )
}

/** What fits the words, the pages first; without words the pages. */
function useHits(text: string): Group[] {
  const m = useMessages(frameMessages)
  const format = useFormat()
  const words = useRunLabels()
  const { language } = useLanguage()
  const { role } = useCurrentUser()
  const [asked] = useDebouncedValue(text, TYPING_MS)
  const enabled = asked.length > 1
  const products = useQuery<ProductsResponse['data']>({
    queryKey: ['search', 'products', asked],
    enabled,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      request<ProductsResponse>('/api/products', { query: { search: asked, limit: MOST }, signal }).then(({ data }) => data),
  })
  const stores = useQuery({
    queryKey: ['stores', 'fleet'],
    enabled,
    staleTime: 30_000,
    queryFn: ({ signal }) => request<{ data: StoreStatus[] }>('/api/v1/sync/stores', { signal }).then(({ data }) => data),
  })
  const runs = useQuery({
    queryKey: ['search', 'runs'],
    enabled,
    staleTime: 10_000,
    queryFn: ({ signal }) =>
      request<{ data: Run[] }>(`${ZOHO}/sync/runs`, { query: { limit: RECENT_RUNS }, signal }).then(({ data }) => data),
  })
  const wanted = text.toLocaleLowerCase()
  const fits = (...values: (string | null)[]) => values.some((value) => value?.toLocaleLowerCase().includes(wanted))
  const pages = ROUTES.flatMap(({ path, nav }): Hit[] => {
    if (!nav || !isAtLeast(role, nav.least)) return []
    const label = m[nav.label] as string
    const Icon = nav.icon
    return fits(label) ? [{ key: path, href: path, text: label, icon: <Icon size={16} aria-hidden /> }] : []
  })
  const ofText = enabled && text !== ''
  const groups: Group[] = [
    { title: m.searchPages, hits: pages },
    {
      title: m.products,
      hits: ofText
        ? (products.data ?? []).map((product) => ({
            key: product.id,
            href: `/products/${product.id}`,
            text: <bdi>{productNames(product, language).first}</bdi>,
            note: product.sku && <Ltr mono>{product.sku}</Ltr>,
            icon: <ProductImage imageUrl={product.image_url} variant="thumb" alt="" className={classes.thumb} />,
          }))
        : [],
    },
    {
      title: m.stores,
      hits: ofText
        ? (stores.data ?? [])
            .filter(({ name, code }) => fits(name, code))
            .slice(0, MOST)
            .map(({ id, name, code }) => ({ key: id, href: `/stores/${id}`, text: <bdi>{name}</bdi>, note: <Ltr mono>{code}</Ltr> }))
        : [],
    },
    {
      title: m.runs,
      hits: ofText
        ? (runs.data ?? [])
            .filter((run) => fits(words.kind(run.kind), words.state(run.state), run.id, run.started_by))
            .slice(0, MOST)
            .map((run) => ({
              key: run.id,
              href: `${HOME}/runs/${run.id}`,
              text: `${words.kind(run.kind)} · ${words.state(run.state)}`,
              note: format.dateTime(run.created_at),
            }))
        : [],
    },
  ]
  return groups.filter(({ hits }) => hits.length > 0)
}
