import { Notice } from '../../components/callout.tsx'
import { Loaded } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { Stat, Stats } from '../../components/statistic.tsx'
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
      <Loaded query={query} skeleton={<BlockSkeleton height={84} />}>
        {({ originals, variants, reclaimable, free_bytes, reserve_bytes, full }) => (
          <div className={classes.stack}>
            {full && (
              <Notice tone="bad" title={m.full}>
                {m.fullText({ reserve: format.bytes(reserve_bytes) })}
              </Notice>
            )}
            <Stats>
              <Stat label={m.originals} value={format.bytes(originals.bytes)} note={m.files({ count: originals.count })} />
              <Stat label={m.variants} value={format.bytes(variants.bytes)} note={m.files({ count: variants.count })} />
              <Stat
                label={m.reclaimable}
                value={format.bytes(reclaimable.bytes)}
                note={reclaimable.count > 0 ? `${m.files({ count: reclaimable.count })}, ${m.reclaimableHint}` : m.files({ count: 0 })}
              />
              {free_bytes !== null && <Stat label={m.free} value={format.bytes(free_bytes)} {...(full && { tone: 'bad' as const })} />}
            </Stats>
          </div>
        )}
      </Loaded>
    </Section>
  )
}
