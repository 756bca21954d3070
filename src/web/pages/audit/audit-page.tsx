import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import Download from 'lucide-react/icons/download'
import ScrollText from 'lucide-react/icons/scroll-text'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { AuditEntry } from '../../../schemas/audit.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { buildUrl } from '../../api/request.ts'
import { useCursorList } from '../../api/use-cursor-list.ts'
import { DateRange, useDateRange } from '../../components/date-range.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ListView } from '../../components/list-view.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Page } from '../../components/page.tsx'
import { Section } from '../../components/section.tsx'
import { Table } from '../../components/table.tsx'
import { ExactTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { defineMessages } from '../../i18n/messages.ts'
import { actionLabels } from './action-labels.ts'
import classes from './audit-page.module.css'

const messages = defineMessages(
  {
    title: 'Audit log',
    intro: 'Who changed what, and when. Append-only; shows which fields changed, not their values.',
    entries: 'Changes',
    when: 'Time',
    actor: 'User',
    action: 'Action',
    target: 'Target',
    fields: 'Fields',
    from: 'IP address',
    allActions: 'All actions',
    actorFilter: 'User',
    csv: 'Download CSV',
    emptyTitle: 'No changes yet',
    emptyText: 'Changes to settings, users, stores and tokens appear here.',
  },
  {
    title: 'سجل التدقيق',
    intro: 'من غيّر ماذا ومتى. سجل للإضافة فقط، يعرض الحقول المتغيّرة دون قيمها.',
    entries: 'التغييرات',
    when: 'الوقت',
    actor: 'المستخدم',
    action: 'الإجراء',
    target: 'الهدف',
    fields: 'الحقول',
    from: 'عنوان IP',
    allActions: 'كل الإجراءات',
    actorFilter: 'المستخدم',
    csv: 'تنزيل CSV',
    emptyTitle: 'لا تغييرات بعد',
    emptyText: 'تظهر هنا تغييرات الإعدادات والمستخدمين والمتاجر والرموز.',
  },
)
/** So much of an id tells it from others. */
const SHORT_ID = 8
const SETTLE_MS = 300
const AUDIT = `${ZOHO}/audit`

export default function AuditPage() {
  const m = useMessages(messages)
  const words: Record<string, string> = useMessages(actionLabels)
  const [search, setSearch] = useSearchParams()
  const action = search.get('action') ?? ''
  const [actor, setActor] = useState('')
  const [asked] = useDebouncedValue(actor.trim(), SETTLE_MS)
  const range = useDateRange()
  const filter = { actor: asked, action, ...range.query }
  const filtered = asked !== '' || action !== '' || range.isSet
  const list = useCursorList<AuditEntry>(['audit'], AUDIT, { query: { ...filter, limit: 50 } })
  return (
    <Page
      title={m.title}
      intro={m.intro}
      actions={
        <Button
          component="a"
          href={buildUrl(AUDIT, { ...filter, format: 'csv' })}
          download
          variant="default"
          leftSection={<Download size={15} aria-hidden />}
        >
          {m.csv}
        </Button>
      }
    >
      <Section
        title={m.entries}
        flush
        actions={
          <>
            <DateRange range={range} />
            <TextInput
              size="xs"
              aria-label={m.actorFilter}
              placeholder={m.actorFilter}
              value={actor}
              onChange={(event) => setActor(event.currentTarget.value)}
            />
            <NativeSelect
              size="xs"
              aria-label={m.action}
              className={classes.action}
              value={action}
              onChange={(event) => {
                const { value } = event.currentTarget
                setSearch(
                  (before) => {
                    if (value === '') before.delete('action')
                    else before.set('action', value)
                    return before
                  },
                  { replace: true },
                )
              }}
              data={[{ value: '', label: m.allActions }, ...Object.entries(words).map(([value, label]) => ({ value, label }))]}
            />
          </>
        }
      >
        <ListView list={list} empty={<EmptyState icon={ScrollText} title={m.emptyTitle} text={m.emptyText} filtered={filtered} />}>
          {(entries) => (
            <Table
              label={m.title}
              rows={entries}
              rowKey={({ id }) => id}
              columns={[
                { key: 'actor', header: m.actor, cell: (entry) => <bdi className={classes.actor}>{entry.actor}</bdi> },
                {
                  key: 'action',
                  header: m.action,
                  cell: (entry) => <span title={entry.action}>{words[entry.action] ?? entry.action}</span>,
                },
                { key: 'target', header: m.target, cell: (entry) => <Target target={entry.target} /> },
                { key: 'fields', header: m.fields, cell: (entry) => entry.fields.length > 0 && <Ltr mono>{entry.fields.join(', ')}</Ltr> },
                { key: 'from', header: m.from, secondary: true, cell: ({ ip }) => ip && <Ltr mono>{ip}</Ltr> },
                { key: 'when', header: m.when, end: true, cell: ({ at }) => <ExactTime at={at} /> },
              ]}
            />
          )}
        </ListView>
      </Section>
    </Page>
  )
}

/** A product by its page: its id alone would say nothing. */
function Target({ target }: { target: string }) {
  const [, product] = /^product:([0-9a-f-]{36})$/.exec(target) ?? []
  const shown = <Ltr mono>{product === undefined ? target : target.slice(0, 'product:'.length + SHORT_ID)}</Ltr>
  return product === undefined ? shown : <Link href={`/products/${product}`}>{shown}</Link>
}
