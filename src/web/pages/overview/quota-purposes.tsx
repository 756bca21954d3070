import type { Quota } from '../../../schemas/quota.ts'
import { useQuota } from '../../api/zoho.ts'
import { Section } from '../../components/section.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { usePurposeNames } from './job-names.ts'
import { overviewMessages } from './messages.ts'
import classes from './quota-card.module.css'

/** What the calls are for, how old the data is that they keep, and what keeps it from being fresher. */
export function QuotaPurposes() {
  const m = useMessages(overviewMessages)
  const format = useFormat()
  const names = usePurposeNames()
  const purposes = useQuota().data?.purposes ?? []
  const shown = purposes.filter(({ used, forecast, oldest_at }) => used > 0 || forecast > 0 || oldest_at !== null)
  if (shown.length === 0) return null
  const why = {
    share: ({ share }: Quota['purposes'][number]) => m.limitedByShare({ calls: format.number(share ?? 0) }),
    day: () => m.limitedByDay,
    no_schedule: () => m.limitedByNoSchedule,
  }
  return (
    <Section title={m.purposes} flush>
      <Table
        label={m.purposes}
        rows={shown}
        rowKey={({ purpose }) => purpose}
        columns={[
          {
            key: 'purpose',
            header: m.purpose,
            cell: ({ purpose }) => names[purpose],
          },
          { key: 'used', header: m.purposeUsed, end: true, cell: ({ used }) => format.number(used) },
          { key: 'forecast', header: m.purposeForecast, end: true, cell: ({ forecast }) => format.number(forecast) },
          {
            key: 'age',
            header: m.oldestData,
            cell: ({ oldest_at: at }) => (at === null ? '–' : <RelativeTime at={at} />),
          },
          {
            key: 'why',
            header: m.limitedBy,
            cell: (row) => (row.limited_by === null ? '' : <span className={classes.why}>{why[row.limited_by](row)}</span>),
          },
        ]}
      />
    </Section>
  )
}
