import { Button } from '@mantine/core'
import RotateCcw from 'lucide-react/icons/rotate-ccw'
import { Link } from 'wouter'
import type { FailuresResponse } from '../../../schemas/failures.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { useHasRole } from '../../app/session.tsx'
import { CsvDownload } from '../../components/csv-button.tsx'
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
      {(failed > 0 || range.isSet || !data?.data.some(isToDecide)) && (
        <Section
          title={failed > 0 ? m.open({ count: failed }) : m.title}
          flush
          actions={
            (failed > 0 || range.isSet) && (
              <>
                <DateRange range={range} />
                <CsvDownload filename="zinc-failures.csv" read={() => readFailures(range.query)} />
              </>
            )
          }
        >
          <FailureList only={isFailure} emptyTitle={m.clearTitle} emptyText={m.clearText} filtered={range.isSet} dates={range.query} />
        </Section>
      )}
    </Page>
  )
}

/** The most of a cause that one response has. */
const PAGE = 500
const COLUMNS = ['at', 'code', 'stage', 'message', 'sku', 'zoho_item_id', 'name', 'run_id']

/** All open failures as lines of a file. A cause with more than a page is read page by page. */
async function readFailures(dates: FailureDates) {
  const read = (query: Record<string, string | undefined>) =>
    request<FailuresResponse>(`${ZOHO}/failures`, { query: { ...dates, ...query, limit: PAGE } })
  const lines: unknown[][] = [COLUMNS]
  const add = ({ data }: FailuresResponse) => {
    for (const { code, stage, failures } of data)
      for (const it of failures) lines.push([it.at, code, stage, it.message, it.sku, it.zoho_item_id, it.name, it.run_id])
  }
  const first = await read({})
  add({ ...first, data: first.data.filter(({ count, failures }) => count <= failures.length) })
  for (const { code, stage, count, failures } of first.data) {
    if (count <= failures.length) continue
    let cursor: string | undefined
    do {
      const page = await read({ code, stage, cursor })
      add(page)
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
  }
  return { lines, isCut: false }
}
