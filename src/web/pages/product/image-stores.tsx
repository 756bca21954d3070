import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import type { BlobStore, PhotoStoreState } from '../../../schemas/photo-sync.ts'
import { request } from '../../api/request.ts'
import { Badge, type Tone } from '../../components/badge.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './image-stores.module.css'
import { imageStoresMessages } from './image-stores-messages.ts'

const TONE: Record<PhotoStoreState, Tone> = {
  synced: 'good',
  outdated: 'warn',
  behind: 'info',
  failed: 'bad',
  leaving: 'warn',
  not_sold: 'plain',
}
/** Stores report at any time; whoever watches should see it move. */
const LOOK_EVERY_MS = 5_000

/** Which stores have this image, and why the others have not. */
export function ImageStores({ photoId }: { photoId: string }) {
  const m = useMessages(imageStoresMessages)
  const query = useQuery({
    queryKey: ['stores', 'of-photo', photoId],
    refetchInterval: LOOK_EVERY_MS,
    queryFn: ({ signal }) => request<{ data: BlobStore[] }>(`/api/v1/sync/photos/${photoId}/stores`, { signal }).then(({ data }) => data),
  })
  return (
    <section className={classes.stores} aria-label={m.title}>
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={72} />}>
        {(stores) => <StoreList stores={stores} />}
      </QueryBoundary>
    </section>
  )
}

function StoreList({ stores }: { stores: BlobStore[] }) {
  const m = useMessages(imageStoresMessages)
  const format = useFormat()
  const selling = stores.filter(({ state }) => state !== 'not_sold' && state !== 'leaving')
  const there = selling.filter(({ state }) => state === 'synced')
  return (
    <>
      <h3 className={classes.title}>
        {m.title}{' '}
        {selling.length > 0 && (
          <span className={classes.count}>{m.there({ count: format.number(there.length), of: format.number(selling.length) })}</span>
        )}
      </h3>
      {stores.length === 0 ? (
        <p className={classes.why}>{m.none}</p>
      ) : (
        <ul className={classes.list}>
          {stores.map(({ store_id, name, state, report }) => (
            <li key={store_id} className={classes.row}>
              <Link href={`/stores/${store_id}`} className={classes.name}>
                <bdi>{name}</bdi>
              </Link>
              <Badge tone={TONE[state]}>{m[state]}</Badge>
              {state === 'failed' && report ? (
                <span className={classes.why}>
                  {report.error && <bdi>{report.error}</bdi>} {m.attempts({ count: report.attempts })}
                </span>
              ) : (
                report && <span className={classes.why}>{m.reported({ at: format.relative(report.at) })}</span>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
