import { useSearchParams } from 'wouter'
import { Page } from '../../components/page.tsx'
import { PageTabs } from '../../components/page-tabs.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { RunStrip } from '../../runs/run-strip.tsx'
import { IntegritySection } from './integrity.tsx'
import { JobsSection } from './jobs.tsx'
import { MediaLibrary } from './library.tsx'
import { mediaMessages } from './messages.ts'
import { StorageSection } from './storage.tsx'
import { VariantsSection } from './variants.tsx'

export default function MediaPage() {
  const m = useMessages(mediaMessages)
  // In the address, so that a reload goes on showing the run that was started here.
  const [search, setSearch] = useSearchParams()
  const runId = search.get('run')
  const follow = (id: string) => {
    setSearch(
      (before) => {
        before.set('run', id)
        return before
      },
      { replace: true },
    )
    scrollTo({ top: 0 })
  }
  const run = runId !== null && <RunStrip key={runId} id={runId} />
  return (
    <Page title={m.title} intro={m.intro}>
      {run}
      <PageTabs
        label={m.title}
        keep={['run']}
        tabs={[
          { key: 'images', label: m.library, content: () => <MediaLibrary /> },
          {
            key: 'storage',
            label: m.storage,
            content: () => (
              <>
                <StorageSection />
                <JobsSection />
              </>
            ),
          },
          {
            key: 'integrity',
            label: m.integrity,
            content: () => (
              <>
                <IntegritySection onStarted={follow} />
              </>
            ),
          },
          {
            key: 'sizes',
            label: m.sizes,
            content: () => (
              <>
                <VariantsSection onStarted={follow} />
              </>
            ),
          },
        ]}
      />
    </Page>
  )
}
