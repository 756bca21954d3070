import { Button } from '@mantine/core'
import RotateCcw from 'lucide-react/icons/rotate-ccw'
import { Link } from 'wouter'
import { useHasRole } from '../../app/session.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Page } from '../../components/page.tsx'
import { Section } from '../../components/section.tsx'
import { FailureList } from '../../failures/failure-list.tsx'
import { failureMessages } from '../../failures/messages.ts'
import { isToDecide, useFailures, useRetry } from '../../failures/queries.ts'
import { useMessages } from '../../i18n/language.tsx'
import { StartSync } from '../../runs/start-sync.tsx'

const isFailure = (group: { code: string }) => !isToDecide(group)

export default function FailuresPage() {
  const m = useMessages(failureMessages)
  const mayAct = useHasRole('operator')
  const { data } = useFailures()
  const retry = useRetry()
  const failed = data?.data.filter(isFailure).reduce((sum, { count }) => sum + count, 0) ?? 0
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
      {data?.data.some(isToDecide) && (
        <Section
          title={m.decide}
          description={m.decideHint}
          flush
          actions={
            <>
              <Button size="xs" variant="default" component={Link} href="/products?coverage=duplicate_sku">
                {m.sharedSkus}
              </Button>
              <Button size="xs" variant="default" component={Link} href="/products?coverage=no_sku">
                {m.withoutSku}
              </Button>
              {data.data.some(({ code }) => code === 'mass_delete_stopped') && (
                <StartSync primary={false} mode="full" label={m.planRemovals} />
              )}
            </>
          }
        >
          <FailureList only={isToDecide} emptyTitle={m.clearTitle} />
        </Section>
      )}
      <Section title={data ? m.open({ count: failed }) : m.title} flush>
        <FailureList only={isFailure} emptyTitle={m.clearTitle} emptyText={m.clearText} />
      </Section>
    </Page>
  )
}
