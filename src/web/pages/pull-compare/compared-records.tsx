import { useState } from 'react'
import type { RecordComparison, SessionComparison } from '../../../schemas/pulls.ts'
import { Dialog } from '../../components/dialog.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { pullsMessages } from '../../pulls/messages.ts'
import { useRecordComparison } from '../../pulls/use-pulls.ts'
import classes from './pull-compare-page.module.css'

/** More would be a long list to look through; the sessions themselves can be downloaded. */
const LISTED = 100

interface ComparedRecordsProps {
  title: string
  sessions: { a: string; b: string }
  module: string
  found: SessionComparison['modules'][number]['changed']
  onClose(): void
}

/** The records behind a figure of the comparison; each opens into its fields. */
export function ComparedRecords({ title, sessions, module, found, onClose }: ComparedRecordsProps) {
  const m = useMessages(pullsMessages)
  const ids = found.ids.slice(0, LISTED)
  return (
    <Dialog opened onClose={onClose} title={title} size="xl">
      <div className={classes.records}>
        {ids.map((id) => (
          <OneRecord key={id} record={{ ...sessions, module, record_id: id }} open={ids.length === 1} />
        ))}
        {found.count > ids.length && <p>{m.more({ count: found.count - ids.length })}</p>}
      </div>
    </Dialog>
  )
}

type Difference = RecordComparison['fields'][number]
type ComparedRecord = Parameters<typeof useRecordComparison>[0]

function OneRecord({ record, open: openAtFirst }: { record: ComparedRecord; open: boolean }) {
  const [open, setOpen] = useState(openAtFirst)
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Ltr mono>{record.record_id}</Ltr>
      </summary>
      {open && <Fields record={record} />}
    </details>
  )
}

function Fields({ record }: { record: ComparedRecord }) {
  const m = useMessages(pullsMessages)
  const query = useRecordComparison(record)
  return (
    <QueryBoundary query={query} skeleton={<RowsSkeleton rows={3} />}>
      {({ fields, in_a, in_b }) => (
        <Table
          label={m.fields}
          rows={fields}
          rowKey={({ field }) => field}
          columns={[
            { key: 'field', header: m.fieldName, cell: ({ field }: Difference) => <Ltr mono>{field}</Ltr> },
            ...(in_a ? [{ key: 'a', header: m.first, cell: ({ a }: Difference) => <Value value={a} /> }] : []),
            ...(in_b ? [{ key: 'b', header: m.second, cell: ({ b }: Difference) => <Value value={b} /> }] : []),
          ]}
        />
      )}
    </QueryBoundary>
  )
}

/** As Zoho wrote it: a text as it is, anything else as JSON. */
const Value = ({ value }: { value: unknown }) => (
  <bdi className={classes.value}>{typeof value === 'string' ? value : JSON.stringify(value)}</bdi>
)
