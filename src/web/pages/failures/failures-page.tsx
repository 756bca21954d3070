import { Button } from '@mantine/core'
import RotateCcw from 'lucide-react/icons/rotate-ccw'
import { useMay } from '../../app/session.tsx'
import { FailureList } from '../../failures/failure-list.tsx'
import { failureMessages } from '../../failures/messages.ts'
import { useFailures, useRetry } from '../../failures/queries.ts'
import { useMessages } from '../../i18n/language.tsx'
import { ErrorCard } from '../../ui/error-card.tsx'
import { Page } from '../../ui/page.tsx'
import { Section } from '../../ui/section.tsx'

export default function FailuresPage() {
  const m = useMessages(failureMessages)
  const mayAct = useMay('operator')
  const { data } = useFailures()
  const retry = useRetry()
  const retryable = data?.data.some((group) => group.retryable) === true
  return (
    <Page
      title={m.title}
      intro={m.intro}
      actions={
        mayAct &&
        retryable && (
          <Button leftSection={<RotateCcw size={15} aria-hidden />} loading={retry.isPending} onClick={() => retry.mutate({})}>
            {m.retryAll}
          </Button>
        )
      }
    >
      {retry.error && <ErrorCard error={retry.error} />}
      <Section title={data ? m.open({ count: data.total }) : m.title} flush>
        <FailureList emptyTitle={m.clearTitle} emptyText={m.clearText} />
      </Section>
    </Page>
  )
}
