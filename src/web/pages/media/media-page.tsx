import { useSearchParams } from 'wouter'
import { Page } from '../../components/page.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { RunStrip } from '../../runs/run-strip.tsx'
import { IntegritySection } from './integrity.tsx'
import { JobsSection } from './jobs.tsx'
import { mediaMessages } from './messages.ts'
import { StorageSection } from './storage.tsx'
import { VariantsSection } from './variants.tsx'

export default function MediaPage() {
  const m = useMessages(mediaMessages)
  // In the address, so that a reload goes on showing the run that was started here.
  const [search, setSearch] = useSearchParams()
  const runId = search.get('run')
  const follow = (id: string) => {
    setSearch({ run: id }, { replace: true })
    scrollTo({ top: 0 })
  }
  return (
    <Page title={m.title} intro={m.intro}>
      {runId && <RunStrip key={runId} id={runId} />}
      <StorageSection />
      <IntegritySection onStarted={follow} />
      <VariantsSection onStarted={follow} />
      <JobsSection />
    </Page>
  )
}
