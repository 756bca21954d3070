import { Button, NativeSelect } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import ImagesIcon from 'lucide-react/icons/images'
import Search from 'lucide-react/icons/search-x'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import type { z } from 'zod'
import type { MediaImage, MediaImagesResponse } from '../../../schemas/media.ts'
import { request } from '../../api/request.ts'
import { useCursorList } from '../../api/use-cursor-list.ts'
import { useHasRole } from '../../app/session.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useLanguage, useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { Lightbox } from '../../products/lightbox.tsx'
import { useSourceLabels } from '../../products/product-image-state.tsx'
import { productNames } from '../../products/product-names.ts'
import classes from './library.module.css'
import { LibraryCard } from './library-card.tsx'
import { CONDITIONS, type LibraryFilter, queryOf, SIZES, SOURCES, useLibraryFilter } from './library-filter.ts'
import { LibrarySelection } from './library-selection.tsx'
import { mediaMessages } from './messages.ts'

const CARD_PX = 168
const GAP_PX = 12
const WORDS_PX = 62
/** Before it was measured. */
const FIRST_WIDTH_PX = 320
const OVERSCAN = 2
/** Lines before the end at which the next page is asked for. */
const AHEAD = 4
const PAGE = 120
/** As many as one request takes. */
const SELECTION_MAX = 1_000

/** The images of all products, the newest first. */
export function MediaLibrary() {
  const m = useMessages(mediaMessages)
  const mayEdit = useHasRole('operator')
  const [filter, setFilter] = useLibraryFilter()
  const query = queryOf(filter)
  const { data: total } = useQuery({
    queryKey: ['media', 'images', 'total', query],
    queryFn: ({ signal }) =>
      request<z.infer<typeof MediaImagesResponse>>('/api/media/images', { query: { ...query, limit: 1, total: true }, signal }).then(
        (response) => response.total ?? 0,
      ),
  })
  const list = useCursorList<MediaImage>(['media', 'images'], '/api/media/images', { query: { ...query, limit: PAGE } })
  // Another filter is another list: nothing stays chosen that is no longer in sight.
  const key = JSON.stringify(filter)
  const [held, setHeld] = useState<{ key: string; ids: ReadonlySet<string> }>({ key, ids: new Set() })
  const rows = list.rows ?? []
  const chosen = held.key === key ? rows.filter(({ id }) => held.ids.has(id)) : []
  const choose = (ids: Iterable<string>) => setHeld({ key, ids: new Set([...ids].slice(0, SELECTION_MAX)) })
  const filtered = Object.values(filter).some((value) => value !== '')
  return (
    <section className={classes.card} aria-label={m.library}>
      <search className={classes.bar}>
        <Filters filter={filter} onChange={setFilter} />
        {mayEdit && rows.length > 0 && (
          <Button size="xs" variant="subtle" color="gray" onClick={() => choose(rows.map(({ id }) => id))}>
            {m.selectLoaded({ count: Math.min(rows.length, SELECTION_MAX) })}
          </Button>
        )}
        <span className={classes.count} role="status">
          {total !== undefined && m.images({ count: total })}
        </span>
      </search>
      {list.error && (
        <div className={classes.pad}>
          <ErrorCard error={list.error} onRetry={() => void list.refetch()} />
        </div>
      )}
      {list.rows === undefined ? (
        !list.error && (
          <div className={classes.pad}>
            <BlockSkeleton height={600} />
          </div>
        )
      ) : rows.length === 0 ? (
        <EmptyState
          icon={filtered ? Search : ImagesIcon}
          title={filtered ? m.noneTitle : m.emptyTitle}
          text={filtered ? m.noneText : m.emptyText}
          action={
            filtered && (
              <Button variant="default" onClick={() => setFilter({ source: '', size: '', condition: '' })}>
                {m.clearFilters}
              </Button>
            )
          }
        />
      ) : (
        <Images
          key={key}
          rows={rows}
          chosen={new Set(chosen.map(({ id }) => id))}
          onChoose={mayEdit ? choose : null}
          onEnd={() => {
            if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage()
          }}
        />
      )}
      <LibrarySelection images={chosen} unused={filter.condition === 'unused'} onClear={() => choose([])} />
    </section>
  )
}

function Filters({ filter, onChange }: { filter: LibraryFilter; onChange(changes: Partial<LibraryFilter>): void }) {
  const m = useMessages(mediaMessages)
  const sources = useSourceLabels()
  const select = (key: keyof LibraryFilter, label: string, options: { value: string; label: string }[]) => (
    <NativeSelect
      size="xs"
      className={classes.filter}
      aria-label={label}
      data-active={filter[key] !== '' || undefined}
      value={filter[key]}
      onChange={(event) => onChange({ [key]: event.currentTarget.value })}
      data={options}
    />
  )
  return (
    <>
      {select('condition', m.condition, [
        { value: '', label: m.allImages },
        ...CONDITIONS.map((value) => ({ value, label: m[`condition_${value}`] })),
      ])}
      {select('source', m.source, [{ value: '', label: m.anySource }, ...SOURCES.map((value) => ({ value, label: sources[value] }))])}
      {select('size', m.size, [{ value: '', label: m.anySize }, ...SIZES.map((value) => ({ value, label: m[`size_${value}`] }))])}
    </>
  )
}

interface ImagesProps {
  rows: MediaImage[]
  chosen: ReadonlySet<string>
  /** Null where nothing can be chosen. */
  onChoose: ((ids: Iterable<string>) => void) | null
  /** The end of what was read comes into sight. */
  onEnd(): void
}

/** Any number of images; only the lines in sight exist. */
function Images({ rows, chosen, onChoose, onEnd }: ImagesProps) {
  const m = useMessages(mediaMessages)
  const { language } = useLanguage()
  const format = useFormat()
  const { ref, width } = useElementSize<HTMLDivElement>()
  const [top, setTop] = useState(0)
  const body = useRef<HTMLDivElement>(null)
  const [viewed, setViewed] = useState<string | null>(null)
  // The observer answers after the first frame; cards that then change their size would jump.
  const [firstWidth, setFirstWidth] = useState(FIRST_WIDTH_PX)
  const room = width || firstWidth
  const lanes = Math.max(2, Math.floor((room + GAP_PX) / (CARD_PX + GAP_PX)))
  const linePx = Math.floor((room - GAP_PX * (lanes - 1)) / lanes) + WORDS_PX + GAP_PX
  const count = Math.ceil(rows.length / lanes)
  const virtual = useWindowVirtualizer({ count, estimateSize: () => linePx, overscan: OVERSCAN, scrollMargin: top })
  const lines = virtual.getVirtualItems()
  const last = lines.at(-1)?.index ?? 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height of a line changes with the screen
  useLayoutEffect(() => virtual.measure(), [linePx])
  useLayoutEffect(() => {
    if (!body.current) return
    setTop(body.current.getBoundingClientRect().top + scrollY)
    setFirstWidth(body.current.clientWidth)
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked for once each time the end comes nearer
  useEffect(() => {
    if (last >= count - AHEAD) onEnd()
  }, [last, count])
  const nameOf = (image: MediaImage) => productNames(image.product, language).first
  return (
    <div className={classes.pad}>
      <div ref={ref} />
      <div ref={body} className={classes.body} style={{ height: virtual.getTotalSize() - GAP_PX }}>
        {lines.map(({ index, start }) => (
          <div
            key={index}
            className={classes.line}
            style={{ transform: `translateY(${start - top}px)`, gridTemplateColumns: `repeat(${lanes}, minmax(0, 1fr))` }}
          >
            {rows.slice(index * lanes, (index + 1) * lanes).map((image) => (
              <LibraryCard
                key={image.id}
                image={image}
                name={nameOf(image)}
                chosen={onChoose ? chosen.has(image.id) : undefined}
                onChoose={() => onChoose?.(chosen.has(image.id) ? [...chosen].filter((id) => id !== image.id) : [...chosen, image.id])}
                onView={() => setViewed(image.id)}
              />
            ))}
          </div>
        ))}
      </div>
      <Lightbox
        images={rows.map((image) => ({ ...image, alt: image.alt_en ?? image.alt_ar ?? nameOf(image) }))}
        shownId={viewed}
        onShow={setViewed}
        caption={(id) => {
          const image = rows.find((row) => row.id === id)
          return (
            image && (
              <>
                <Link href={`/products/${image.product.id}`}>
                  <bdi>{nameOf(image)}</bdi>
                </Link>
                <span>{format.bytes(image.size)}</span>
                <span>{m.added({ at: format.date(image.updated_at) })}</span>
              </>
            )
          )
        }}
      />
    </div>
  )
}
