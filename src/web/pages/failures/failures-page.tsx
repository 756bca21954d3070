import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import Download from 'lucide-react/icons/download'
import RotateCcw from 'lucide-react/icons/rotate-ccw'
import { Link } from 'wouter'
import type { FailuresResponse } from '../../../schemas/failures.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { useHasRole } from '../../app/session.tsx'
import { downloadCsv } from '../../components/csv.ts'
import { DateRange, useDateRange } from '../../components/date-range.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { Page } from '../../components/page.tsx'
import { Section } from '../../components/section.tsx'
import { FailureList } from '../../failures/failure-list.tsx'
import { failureMessages } from '../../failures/messages.ts'
import { type FailureDates, isToDecide, useFailures, useRetry } from '../../failures/queries.ts'
import { useMessages } from '../../i18n/language.tsx'
import { StartSync } from '../../runs/start-sync.tsx'

const isFailure = (group: { code: string }) => !isToDecide(group)

export default function FailuresPage() {
  const m = useMessages(failureMessages)
  const mayAct = useHasRole('operator')
  const range = useDateRange()
  const { data } = useFailures(undefined, range.query)
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
          <FailureList only={isToDecide} emptyTitle={m.clearTitle} dates={range.query} />
        </Section>
      )}
      <Section
        title={data ? m.open({ count: failed }) : m.title}
        flush
        actions={
          <>
            <DateRange range={range} />
            <DownloadFailures dates={range.query} />
          </>
        }
      >
        <FailureList only={isFailure} emptyTitle={m.clearTitle} emptyText={m.clearText} dates={range.query} />
      </Section>
    </Page>
  )
}

/** As many of each cause as one request answers. */
const MAX_OF_CAUSE = 500

/** The open failures as a file, with the words of the server. */
function DownloadFailures({ dates }: { dates: FailureDates }) {
  const m = useMessages(failureMessages)
  const download = useMutation({
    mutationFn: () => request<FailuresResponse>(`${ZOHO}/failures`, { query: { ...dates, limit: MAX_OF_CAUSE } }),
    onSuccess: ({ data }) => {
      const head = ['at', 'code', 'stage', 'message', 'sku', 'zoho_item_id', 'name', 'run_id']
      const rows = data.flatMap(({ code, stage, failures }) =>
        failures.map((it) => [it.at, code, stage, it.message, it.sku, it.zoho_item_id, it.name, it.run_id]),
      )
      downloadCsv('zinc-failures.csv', [head, ...rows])
    },
  })
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<Download size={14} aria-hidden />}
      loading={download.isPending}
      onClick={() => download.mutate()}
    >
      {m.downloadCsv}
    </Button>
  )
}
