import { Callout } from '../../components/callout.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { Statistic, Statistics } from '../../components/statistic.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './media-page.module.css'
import { mediaMessages } from './messages.ts'
import { useStorage } from './use-media.ts'

/** How much is stored, and how much of it nobody needs any more. */
export function StorageSection() {
  const m = useMessages(mediaMessages)
  const format = useFormat()
  const query = useStorage()
  return (
    <Section title={m.storage} description={query.data && (query.data.kind === 's3' ? m.storageS3 : m.storageFile)}>
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={84} />}>
        {({ originals, variants, reclaimable, free_bytes, reserve_bytes, full }) => (
          <div className={classes.stack}>
            {full && (
              <Callout tone="bad" title={m.full}>
                {m.fullText({ reserve: format.bytes(reserve_bytes) })}
              </Callout>
            )}
            <Statistics>
              <Statistic label={m.originals} value={format.bytes(originals.bytes)} note={m.files({ count: originals.count })} />
              <Statistic label={m.variants} value={format.bytes(variants.bytes)} note={m.files({ count: variants.count })} />
              <Statistic
                label={m.reclaimable}
                value={format.bytes(reclaimable.bytes)}
                note={reclaimable.count > 0 ? `${m.files({ count: reclaimable.count })}, ${m.reclaimableHint}` : m.files({ count: 0 })}
              />
              {free_bytes !== null && <Statistic label={m.free} value={format.bytes(free_bytes)} {...(full && { tone: 'bad' as const })} />}
            </Statistics>
          </div>
        )}
      </QueryBoundary>
    </Section>
  )
}
