import { Section } from '../../components/section.tsx'
import { FailureList } from '../../failures/failure-list.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { runsMessages } from './messages.ts'

export function RunFailures({ runId }: { runId: string }) {
  const m = useMessages(runsMessages)
  return (
    <Section title={m.failures} description={m.failuresHint} flush>
      <FailureList runId={runId} emptyTitle={m.noFailures} />
    </Section>
  )
}
