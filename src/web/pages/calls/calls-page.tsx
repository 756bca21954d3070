import { Switch } from '@mantine/core'
import Radio from 'lucide-react/icons/radio'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { z } from 'zod'
import type { CallsResponse } from '../../../schemas/quota.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { useCursorList } from '../../api/use-cursor-list.ts'
import { HOME } from '../../app/paths.ts'
import { BackLink } from '../../components/back-link.tsx'
import { Badge } from '../../components/badge.tsx'
import { CsvButton } from '../../components/csv-button.tsx'
import { DateRange, useDateRange } from '../../components/date-range.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ListView } from '../../components/list-view.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Page } from '../../components/page.tsx'
import { Section } from '../../components/section.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { defineMessages } from '../../i18n/messages.ts'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { useJobName } from '../overview/job-names.ts'
import { QuotaCard } from '../overview/quota-card.tsx'
import { CallsCharts } from './calls-charts.tsx'

type CallRow = z.infer<typeof CallsResponse>['data'][number]

const messages = defineMessages(
  {
    title: 'Call log',
    intro: 'Every API call to Zoho: time, path, result and remaining quota. Request and response bodies are never stored.',
    calls: 'API calls',
    callsOfRun: 'API calls of this run',
    backToRun: 'Back to run',
    path: 'Path',
    job: 'Purpose',
    status: 'Status',
    took: 'Duration',
    left: 'Remaining quota',
    when: 'Time',
    noAnswer: 'no response',
    failedOnly: 'Failed only',
    emptyTitle: 'No API calls yet',
    emptyText: 'Calls appear here after the first sync or connection test.',
  },
  {
    title: 'سجل الطلبات',
    intro: 'كل طلب إلى واجهة Zoho: الوقت والمسار والنتيجة والحصة المتبقية. لا تُحفظ المحتويات.',
    calls: 'الطلبات',
    callsOfRun: 'طلبات تشغيل واحد',
    backToRun: 'العودة إلى التشغيل',
    path: 'المسار',
    job: 'الغرض',
    status: 'الحالة',
    took: 'المدة',
    left: 'الحصة المتبقية',
    when: 'الوقت',
    noAnswer: 'بلا استجابة',
    failedOnly: 'الفاشلة فقط',
    emptyTitle: 'لا طلبات بعد',
    emptyText: 'تظهر الطلبات هنا بعد أول مزامنة أو اختبار للاتصال.',
  },
)

export default function CallsPage() {
  const m = useMessages(messages)
  const format = useFormat()
  const jobName = useJobName()
  const [search] = useSearchParams()
  const runId = search.get('run')
  const [failed, setFailed] = useState(false)
  const range = useDateRange()
  const filtered = failed || range.isSet
  const query = { run_id: runId, ...(failed && { failed: true }), ...range.query }
  const list = useCursorList<CallRow>(['calls'], `${ZOHO}/calls`, { query: { ...query, limit: 50 } })
  return (
    <Page
      title={m.title}
      intro={m.intro}
      {...(runId !== null && { above: <BackLink href={`${HOME}/runs/${runId}`}>{m.backToRun}</BackLink> })}
    >
      {runId === null && (
        <>
          <QuotaCard />
          <CallsCharts />
        </>
      )}
      <Section
        title={runId === null ? m.calls : m.callsOfRun}
        flush
        actions={
          <>
            <Switch size="sm" label={m.failedOnly} checked={failed} onChange={(event) => setFailed(event.currentTarget.checked)} />
            <DateRange range={range} />
            <CsvButton<CallRow>
              filename="zinc-calls.csv"
              path={`${ZOHO}/calls`}
              query={query}
              columns={[
                ['at', (call) => call.at],
                ['job', (call) => call.job],
                ['run_id', (call) => call.run_id],
                ['path', (call) => call.path],
                ['status', (call) => call.status],
                ['code', (call) => call.code],
                ['ms', (call) => call.ms],
                ['quota_left', (call) => call.quota_left],
              ]}
            />
          </>
        }
      >
        <ListView list={list} empty={<EmptyState icon={Radio} title={m.emptyTitle} text={m.emptyText} filtered={filtered} />}>
          {(calls) => (
            <Table
              label={m.calls}
              rows={calls}
              rowKey={({ at, path }) => `${at} ${path}`}
              columns={[
                { key: 'path', header: m.path, cell: ({ path }) => <Ltr mono>{path}</Ltr> },
                {
                  key: 'job',
                  header: m.job,
                  cell: ({ job, run_id }) => (run_id === null ? jobName(job) : <Link href={`${HOME}/runs/${run_id}`}>{jobName(job)}</Link>),
                },
                {
                  key: 'status',
                  header: m.status,
                  cell: ({ status, code }) => (
                    <Badge tone={status === null ? 'bad' : status < 400 ? 'good' : status === 429 ? 'warn' : 'bad'}>
                      <Ltr>{[status ?? m.noAnswer, code].filter((part) => part !== null).join(' · ')}</Ltr>
                    </Badge>
                  ),
                },
                { key: 'took', header: m.took, end: true, cell: ({ ms }) => ms !== null && format.duration(ms) },
                {
                  key: 'left',
                  header: m.left,
                  end: true,
                  secondary: true,
                  cell: ({ quota_left }) => quota_left !== null && format.number(quota_left),
                },
                {
                  key: 'when',
                  header: m.when,
                  end: true,
                  cell: ({ at }) => <time dateTime={at}>{format.dateTimeSeconds(at)}</time>,
                },
              ]}
            />
          )}
        </ListView>
      </Section>
    </Page>
  )
}
